// glibc's pipe2, which unistd.h shows to whoever defines _GNU_SOURCE, as Swift's Glibc module does not.
#ifndef SHAKE_CPIPE_H
#define SHAKE_CPIPE_H

extern int pipe2(int ends[2], int flags);

#endif
