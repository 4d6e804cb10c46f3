/* password - how the user service keeps passwords. */
#ifndef HOTEL_PASSWORD_H
#define HOTEL_PASSWORD_H

#include <stddef.h>

enum { PASSWORD_HASH_SIZE = 65, PASSWORD_SIZE = 32 };

/* SHA-256 of the password in lower-case hexadecimal. */
void password_hash(const char *password, char hash_p[PASSWORD_HASH_SIZE]);

/* The password of user Cornell_<number>: the number ten times. */
void password_of(int number, char password_p[PASSWORD_SIZE]);

#endif
