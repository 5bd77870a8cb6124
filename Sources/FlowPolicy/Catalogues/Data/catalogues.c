// SPDX-License-Identifier: Apache-2.0
//
// Takes the catalogue files into the program (C23 `#embed`).

#include "CCatalogues.h"

static const unsigned char core_protocols[] = {
#embed "core-protocols.csv"
};
static const unsigned char macos_daemons[] = {
#embed "macos-daemons.csv"
};
static const unsigned char linux_daemons[] = {
#embed "linux-daemons.csv"
};
static const unsigned char pinned_apps[] = {
#embed "pinned-apps.csv"
};
static const unsigned char pinned_hosts[] = {
#embed "pinned-hosts.csv"
};
static const unsigned char apple_hosts[] = {
#embed "apple-hosts.csv"
};
static const unsigned char apple_ports[] = {
#embed "apple-ports.csv"
};
static const unsigned char known_bad[] = {
#embed "known-bad.csv"
};

#define FILE_OF(name, bytes) {name, bytes, sizeof(bytes)}

static const struct weir_catalogue files[] = {
    FILE_OF("core-protocols", core_protocols), FILE_OF("macos-daemons", macos_daemons),
    FILE_OF("linux-daemons", linux_daemons),   FILE_OF("pinned-apps", pinned_apps),
    FILE_OF("pinned-hosts", pinned_hosts),     FILE_OF("apple-hosts", apple_hosts),
    FILE_OF("apple-ports", apple_ports),       FILE_OF("known-bad", known_bad),
};

size_t weir_catalogue_count(void) { return sizeof(files) / sizeof(files[0]); }

struct weir_catalogue weir_catalogue_at(size_t number) {
    if (number < weir_catalogue_count()) return files[number];
    return (struct weir_catalogue){NULL, NULL, 0};
}
