#include "port/posix/become.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace tocsin::posix {

bool is_root() { return geteuid() == 0; }

const char* become(string_view user) {
  FixedText<64> name;
  if (!name.assign(user)) return "--as: the user's name is too long";
  const passwd* account = getpwnam(name.c_str());
  if (account == nullptr && user == "tocsin")
    return "--as: there is no user tocsin yet; `make install` brings what makes it: run systemd-sysusers, or useradd "
           "--system tocsin";
  if (account == nullptr) return "--as: there is no such user";
  const uid_t uid = account->pw_uid;
  const gid_t gid = account->pw_gid;
  if (geteuid() != 0) return geteuid() == uid ? nullptr : "--as: only root can check as another user";
  if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
    return "--as: could not become that user";
  return nullptr;
}

bool may(const char* path, bool write) {
  struct stat s {};
  if (stat(path, &s) != 0) return false;
  const int enter = S_ISDIR(s.st_mode) ? X_OK : 0;
  return faccessat(AT_FDCWD, path, enter | (write ? W_OK : R_OK), AT_EACCESS) == 0;
}

const char* become_owner_of(const char* path) {
  struct stat s {};
  if (geteuid() != 0 || stat(path, &s) != 0 || s.st_uid == 0) return nullptr;
  if (setgroups(1, &s.st_gid) == 0 && setgid(s.st_gid) == 0 && setuid(s.st_uid) == 0) return nullptr;
  return "could not become the owner of the file; run this as that user";
}

}  // namespace tocsin::posix
