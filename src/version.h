// The version that --version prints and disco tells.
#pragma once

#define TOCSIN_VERSION "0.1.0"
