#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual pages against the program's own option tables (waybill __options) and against base/: every option is
# described where it belongs and none is invented; the version is right; waybill.1 has every exit status. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
WAYBILL=${WAYBILL:-build/release/bin/waybill}
bad=0
verdict() { # name, what is wrong
    if [ -n "$2" ]; then
        echo "not ok - man: $1"
        printf '%s\n' "$2" | sed 's/^/# /'
        bad=1
    else
        echo "ok - man: $1"
    fi
}

# The options that a page describes in a section: "LONG SHORT METAVAR", "-" for none.
described() { # page, section
    awk -v section="${2:-OPTIONS}" '/^\.Sh / { on = substr($0, 5) == section } on && /^\.It Fl / {
        long = short = meta = "-"
        for (i = 2; i <= NF; i++)
            if ($i == "Fl") { if ($(i + 1) ~ /^-/) long = "-" $(i + 1); else short = "-" $(i + 1) }
            else if ($i == "Ar") meta = $(i + 1)
        print long, short, meta
    }' "$1" | sort
}

if [ -x "$WAYBILL" ]; then
    options=$("$WAYBILL" __options)
    verbs=$(cut -d' ' -f1 <<<"$options" | sort -u)
    group() { sed -n "s/^[^ ]* $1 //p" <<<"$options" | sort -u; }
    # What commands share is described in waybill.1 alone.
    verdict "waybill.1 describes the common options" "$(diff <(group common) <(described man/waybill.1))"
    verdict "waybill.1 describes the network options" \
        "$(diff <(group network) <(described man/waybill.1 "NETWORK OPTIONS"))"
    verdict "waybill.1 describes the trust options" \
        "$(diff <(group trust) <(described man/waybill.1 "TRUST OPTIONS"))"
    for verb in $verbs; do
        own=$(sed -n "s/^$verb own //p" <<<"$options" | sort)
        verdict "waybill-$verb.1 describes the options of $verb" "$(diff <(printf '%s' "${own:+$own
}") <(described "man/waybill-$verb.1") 2>&1)"
    done
    verdict "pages name the network options where a command has them" "$(for verb in $verbs; do
        grep -q "^$verb network " <<<"$options" && has=1 || has=0
        grep -q 'Op Ar network options' "man/waybill-$verb.1" && says=1 || says=0
        [ "$has" = "$says" ] || echo "$verb"
    done)"
    verdict "pages name the trust options where a command has them" "$(for verb in $verbs; do
        grep -q "^$verb trust " <<<"$options" && has=1 || has=0
        grep -q 'Op Ar trust options' "man/waybill-$verb.1" && says=1 || says=0
        [ "$has" = "$says" ] || echo "$verb"
    done)"
    verdict "no page of a command that is not there" "$(for page in man/waybill-*.1; do
        verb=${page#man/waybill-}
        grep -qxF "${verb%.1}" <<<"$verbs" || echo "$page"
    done)"
else
    echo "ok - man: options # SKIP $WAYBILL is not built"
fi

version=$(sed -n 's/^#define WAYBILL_VERSION "\(.*\)"/\1/p' base/version.h)
verdict "pages carry the version $version" "$(grep -L "^\.Os waybill $version\$" man/*.[135])"
verdict "CHANGELOG.md has an entry for $version" "$(grep -q "^## \[$version\]" CHANGELOG.md || echo "no entry [$version]")"
verdict "waybill.1 has every failure below 100 of base/err.h with its exit status" "$(
    awk -F, '/^    X\(/ { sub(/.*\(/, "", $1); gsub(/[ )\\]/, "", $4); print $1, $4 }' base/err.h | awk '$2 < 100' |
        while read -r name status; do
            grep -qE "^\.It $status Ta ([A-Z_, ]+, )?$name(,| Ta)" man/waybill.1 || echo "$name $status"
        done
)"
exit $bad
