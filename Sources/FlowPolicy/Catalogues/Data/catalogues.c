// SPDX-License-Identifier: Apache-2.0
//
// Takes the catalogue files and the policy's JSON Schema into the program (C23 `#embed`).

#include "CCatalogues.h"

// The language is C17 with the one word of C23 that this file is about.
#pragma clang diagnostic ignored "-Wc23-extensions"

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
static const unsigned char platform_interactive[] = {
#embed "platform-interactive.csv"
};
static const unsigned char private_relay[] = {
#embed "private-relay.csv"
};
static const unsigned char private_life[] = {
#embed "private-life.csv"
};
static const unsigned char home[] = {
#embed "home.csv"
};
static const unsigned char about[] = {
#embed "index.csv"
};
static const unsigned char apple_ports[] = {
#embed "apple-ports.csv"
};
static const unsigned char known_bad[] = {
#embed "known-bad.csv"
};
static const unsigned char policy_schema[] = {
#embed "../../Document/Schema/policy.schema.json"
};

#define FILE_OF(name, bytes) {name, bytes, sizeof(bytes)}

static const struct weir_catalogue files[] = {
    FILE_OF("core-protocols", core_protocols), FILE_OF("macos-daemons", macos_daemons),
    FILE_OF("linux-daemons", linux_daemons),   FILE_OF("pinned-apps", pinned_apps),
    FILE_OF("pinned-hosts", pinned_hosts),     FILE_OF("apple-hosts", apple_hosts),
    FILE_OF("apple-ports", apple_ports),       FILE_OF("platform-interactive", platform_interactive),
    FILE_OF("private-relay", private_relay),   FILE_OF("private-life", private_life),
    FILE_OF("home", home),                     FILE_OF("index", about),
    FILE_OF("known-bad", known_bad),
};

size_t weir_catalogue_count(void) { return sizeof(files) / sizeof(files[0]); }

struct weir_catalogue weir_catalogue_at(size_t number) {
    if (number < weir_catalogue_count()) return files[number];
    return (struct weir_catalogue){NULL, NULL, 0};
}

struct weir_catalogue weir_policy_schema(void) {
    return (struct weir_catalogue)FILE_OF("policy.schema", policy_schema);
}
