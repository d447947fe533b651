/* Fields of a schema by the names of the members they fill. For .c files that hold a schema. */
#ifndef NFSAR_HOST_YAML_FIELDS_H
#define NFSAR_HOST_YAML_FIELDS_H

#include <cyaml/cyaml.h>

/* Optional scalars are pointers, so that "left out" and "zero" differ. */
#define OPTIONAL               CYAML_FLAG_OPTIONAL
#define POINTER                (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(structure, key)   CYAML_FIELD_STRING_PTR(#key, POINTER, structure, key, 1, 4096)
#define NUMBER(structure, key) CYAML_FIELD_FLOAT_PTR(#key, POINTER, structure, key)
#define WHOLE(structure, key)  CYAML_FIELD_UINT_PTR(#key, POINTER, structure, key)
#define YES_NO(structure, key) CYAML_FIELD_BOOL_PTR(#key, POINTER, structure, key)
#define LIST(structure, key, entry, least, most)                                                   \
    CYAML_FIELD_SEQUENCE_COUNT(#key, POINTER, structure, key, n_##key, entry, least, most)

#endif
