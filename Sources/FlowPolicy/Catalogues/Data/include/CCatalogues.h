// SPDX-License-Identifier: Apache-2.0
//
// The catalogue files as bytes: the files beside this folder are the only copy, put into the program as it is built.

#ifndef CCATALOGUES_H
#define CCATALOGUES_H

#include <stddef.h>

/// One catalogue file; the bytes live as long as the program.
struct weir_catalogue {
    /// The file's name without its ending, for example `core-protocols`.
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// How many files there are.
size_t weir_catalogue_count(void);

/// The file with this number, from 0; one with null members when there is none.
struct weir_catalogue weir_catalogue_at(size_t number);

/// The JSON Schema of policy documents.
struct weir_catalogue weir_policy_schema(void);

#endif
