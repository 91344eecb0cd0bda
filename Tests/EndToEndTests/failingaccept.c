// A server whose listening socket fails while the file $SHAKE_ACCEPT_FAILS is there (LD_PRELOAD).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int fails(void) {
    const char *path = getenv("SHAKE_ACCEPT_FAILS");
    return path != NULL && access(path, F_OK) == 0;
}

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags) {
    if (fails()) {
        errno = EINVAL;
        return -1;
    }
    int (*real)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    return real(socket, address, length, flags);
}

int accept(int socket, struct sockaddr *address, socklen_t *length) { return accept4(socket, address, length, 0); }
