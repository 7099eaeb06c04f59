/*
 * What hostile containers try, as far as a test needs a program for it. Nothing here changes what it reaches:
 * a file opened for writing is closed again, and success is only reported.
 */
#include "probe.h"
const struct mode ATTACKS[] = {{NULL, NULL}};
