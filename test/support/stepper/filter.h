/* Installs the seccomp filters of the stepper and of `refuse`. */
#ifndef FILTER_H
#define FILTER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Gives `action` to each of `numbers` in this process and all that it starts. Needs CAP_SYS_ADMIN: no_new_privs
 * stays as it is, because a runtime under test passes it on. Returns what seccomp(2) returned.
 */
int install_filter(const int *numbers, size_t count, uint32_t action, unsigned flags);

#endif
