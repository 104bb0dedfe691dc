#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# completion: each shell reads its script and completes with it.
load lib

# in_bash WORD...: what bash offers for the last word.
in_bash() {
    waybill completion bash >c.bash
    bash -c '. ./c.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _waybill; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}

@test "bash: commands, options of the command, values, files" {
    expect 0 in_bash waybill pu
    out_is $'push\npull'
    expect 0 in_bash waybill push --an
    out_is '--annotation'
    expect 0 in_bash waybill pull --nothing
    out_is ''
    expect 0 in_bash waybill keygen --type 'p'
    out_is $'p256\np384'
    touch some.wasm
    expect 0 in_bash waybill run som
    out_is 'some.wasm'
    expect 0 in_bash waybill ''
    out_lacks '__options'
}

@test "fish: the same" {
    command -v fish >/dev/null || skip "fish is not installed"
    waybill completion fish >c.fish
    fish -n c.fish
    expect 0 fish -c 'source c.fish; complete -C "waybill pu"'
    out_has 'push'
    out_has 'pull'
    expect 0 fish -c 'source c.fish; complete -C "waybill push --an"'
    out_has '--annotation'
    expect 0 fish -c 'source c.fish; complete -C "waybill keygen --type "'
    out_has 'p256'
}

@test "zsh: it is taken, with every command and option" {
    command -v zsh >/dev/null || skip "zsh is not installed"
    waybill completion zsh >_waybill
    zsh -n _waybill
    expect 0 zsh -f -c 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; whence -w _waybill; print $_comps[waybill]'
    out_is $'_waybill: function\n_waybill'
    local verb rest
    while read -r verb rest; do
        grep -q "^    $verb)\$" _waybill || [ "$verb" = __options ] || fail "$verb"
    done < <(waybill __options)
    grep -q -- "--annotation\[" _waybill
}

@test "an unknown shell: 2" {
    expect 2 waybill completion tcsh
    err_has 'no such shell'
}
