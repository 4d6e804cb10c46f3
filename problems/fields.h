/* fields - how the files of this folder are described to lib/schema. Private to problems/. */
#ifndef PROBLEMS_FIELDS_H
#define PROBLEMS_FIELDS_H

#include "schema/schema.h"

#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define OPTIONAL_TEXT(key, type, member)                                                           \
    CYAML_FIELD_STRING_PTR(                                                                        \
        key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, CYAML_UNLIMITED)
#define NUMBER(key, type, member)          CYAML_FIELD_UINT(key, CYAML_FLAG_DEFAULT, type, member)
#define OPTIONAL_NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define LIST(key, flags, type, member, count_member, entry, least)                                 \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (flags), type, member, count_member,      \
        entry, least, CYAML_UNLIMITED)

extern const cyaml_schema_value_t problem_text_value;
extern const cyaml_schema_field_t problem_load_fields[];

#endif
