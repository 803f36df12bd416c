// How the process ends: the codes of sysexits.h under our own names, because
// that header is not part of every C library.
#pragma once

namespace tocsin::exit_code {

inline constexpr int ok = 0;
inline constexpr int usage = 64;        // the command line is wrong
inline constexpr int damaged = 65;      // the registry is damaged
inline constexpr int missing = 66;      // an input file does not exist
inline constexpr int unavailable = 69;  // held by another process, port in use
inline constexpr int internal = 70;
inline constexpr int system = 71;
inline constexpr int cannot_create = 73;
inline constexpr int io = 74;
inline constexpr int temporary = 75;
inline constexpr int permission = 77;
inline constexpr int conf = 78;

}  // namespace tocsin::exit_code
