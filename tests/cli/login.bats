#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# login and logout, against Debian's registry with a password file.
# shellcheck disable=SC2154 # status, output and stderr are set by bats' run
load lib

setup_file() {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    htpasswd_line alice 'se cret:1' >"$BATS_FILE_TMPDIR/users"
    start_registry --htpasswd "$BATS_FILE_TMPDIR/users"
}
teardown_file() { stop_registry; }

login() { waybill login --username alice --password-stdin "$@" "$REGISTRY" <<<'se cret:1'; }
docker=.docker/config.json

# may STATUS: whether a push is let in.
may() {
    guest hello
    expect "$1" waybill push -q hello.wasm "$REGISTRY/test$BATS_TEST_NUMBER/hello:1"
}

# helper NAME: a credential helper that keeps what it gets in the home folder, as kept.NAME.
helper() {
    mkdir -p "$HOME/bin" && export PATH=$HOME/bin:$PATH
    cat >"$HOME/bin/docker-credential-$1" <<END
#!/bin/sh
kept=$HOME/kept.$1
case \$1 in
store) cat >"\$kept" ;;
get) cat "\$kept" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) cat >"$HOME/erased" && rm "\$kept" ;;
esac
END
    chmod +x "$HOME/bin/docker-credential-$1"
}

@test "login and logout: there and back, in a file that is made" {
    may 5
    expect 0 login
    out_is "Logged in to $REGISTRY"
    err_is "waybill: warning: $HOME/$docker: what is kept there is not encrypted; a credential helper can do that"
    [ "$(stat -c %a "$HOME/$docker")" = 600 ]
    [ "$(jq -r ".auths[\"$REGISTRY\"].auth" "$HOME/$docker" | base64 -d)" = 'alice:se cret:1' ]
    may 0
    expect 0 waybill pull -q -o out.wasm "$REGISTRY/test$BATS_TEST_NUMBER/hello:1"
    expect 0 waybill logout "$REGISTRY"
    out_is "Removed from $HOME/$docker"
    may 5
    expect 4 waybill logout "$REGISTRY"
    err_is "waybill: logout $REGISTRY: there are no credentials for it"
    tidy "$HOME" .
}

@test "login --json and logout --json" {
    expect 0 login --json
    [ "$(jq -c . <<<"$output")" = "{\"schema\":\"waybill.login/1\",\"registry\":\"$REGISTRY\",\"username\":\"alice\",\"helper\":null,\"file\":\"$HOME/$docker\"}" ]
    expect 0 waybill logout --json "$REGISTRY"
    [ "$(jq -c . <<<"$output")" = "{\"schema\":\"waybill.logout/1\",\"registry\":\"$REGISTRY\",\"removed\":[{\"helper\":null,\"file\":\"$HOME/$docker\"}]}" ]
    expect 4 waybill logout --json "$REGISTRY"
    out_is ''
}

@test "login: a wrong password is status 5, and nothing is kept" {
    expect 5 waybill login --username alice --password-stdin "$REGISTRY" <<<hemlig
    [[ $stderr != *hemlig* ]]
    absent "$HOME/.docker"
}

@test "login: the registry that answers nobody is status 3, and nothing is kept" {
    expect 3 waybill login --username alice --password-stdin 127.0.0.1:1 <<<pw
    absent "$HOME/.docker"
}

@test "login: what else a file holds stays, and its order" {
    mkdir "$HOME/.docker"
    printf '{"psFormat":"a\\tb","auths":{"ghcr.io":{"auth":"dTpw"},"%s":{"auth":"b2xkOm9sZA=="},"%s/part":{"auth":"cDpw"}},"n":[1,2.5,null,true],"é":{}}' \
        "$REGISTRY" "$REGISTRY" >"$HOME/$docker"
    chmod 644 "$HOME/$docker"
    cp "$HOME/$docker" before.json
    expect 0 login
    [ "$(stat -c %a "$HOME/$docker")" = 600 ]
    diff <(jq "del(.auths[\"$REGISTRY\"])" before.json) <(jq "del(.auths[\"$REGISTRY\"])" "$HOME/$docker")
    [ "$(jq -r ".auths[\"$REGISTRY\"].auth" "$HOME/$docker")" = "$(printf 'alice:se cret:1' | base64)" ]
    expect 0 waybill logout "$REGISTRY"
    diff <(jq "del(.auths[\"$REGISTRY\"])" before.json) <(jq . "$HOME/$docker")
}

@test "login: a file that is a link stays one" {
    mkdir "$HOME/.docker" "$HOME/dotfiles"
    echo '{"keep": 1}' >"$HOME/dotfiles/docker.json"
    ln -s ../dotfiles/docker.json "$HOME/$docker"
    expect 0 login
    [ -L "$HOME/$docker" ]
    [ "$(jq -c '[.keep, (.auths | length)]' "$HOME/dotfiles/docker.json")" = '[1,1]' ]
    may 0
    rm "$HOME/dotfiles/docker.json"
    expect 2 login
    err_has "a symbolic link that leads nowhere"
}

@test "login: a file that is no JSON is left alone" {
    mkdir "$HOME/.docker"
    for text in '{' '[]' 'null' '{"auths": 5}'; do
        echo "$text" >"$HOME/$docker"
        expect 2 login
        err_has config.json
        [ "$(cat "$HOME/$docker")" = "$text" ]
    done
}

@test "login: podman's file where there is one, and only the file that was named" {
    local podman=$HOME/.config/containers/auth.json
    mkdir -p "${podman%/*}"
    echo '{}' >"$podman"
    expect 0 login
    [ "$(jq -r '.auths | keys[]' "$podman")" = "$REGISTRY" ]
    absent "$HOME/.docker"
    may 0
    REGISTRY_AUTH_FILE=$HOME/named.json expect 0 login
    [ "$(jq -r '.auths | keys[]' named.json "$HOME/named.json" 2>/dev/null)" = "$REGISTRY" ]
    expect 0 login --auth-file other.json
    [ "$(stat -c %a other.json)" = 600 ]
    expect 0 waybill logout --auth-file other.json "$REGISTRY"
    out_is 'Removed from other.json'
    [ "$(jq -c .auths other.json)" = '{}' ]
    may 0
}

@test "login: with the helper that the configuration names, and logout from it" {
    helper box
    mkdir "$HOME/.docker"
    echo '{"credsStore": "box"}' >"$HOME/$docker"
    expect 0 login --json
    err_is ''
    [ "$(jq -r .helper <<<"$output")" = box ]
    [ "$(cat "$HOME/kept.box")" = "{\"ServerURL\":\"$REGISTRY\",\"Username\":\"alice\",\"Secret\":\"se cret:1\"}" ]
    [ "$(jq -c . "$HOME/$docker")" = '{"credsStore":"box"}' ]
    may 0
    expect 0 waybill logout "$REGISTRY"
    out_is 'Removed from the credential helper box'
    [ "$(cat "$HOME/erased")" = "$REGISTRY" ]
    expect 4 waybill logout "$REGISTRY"
    may 5
}

@test "login: a helper that is not installed or fails is no reason to write a file" {
    mkdir -p "$HOME/.docker" "$HOME/bin"
    echo '{"credsStore": "none"}' >"$HOME/$docker"
    expect 2 login
    err_has 'docker-credential-none, which the configuration names, is not installed'
    export PATH=$HOME/bin:$PATH
    printf '#!/bin/sh\necho the box is locked\nexit 1\n' >"$HOME/bin/docker-credential-none"
    chmod +x "$HOME/bin/docker-credential-none"
    expect 5 login
    err_has 'the box is locked'
    [ "$(cat "$HOME/$docker")" = '{"credsStore": "none"}' ]
}

@test "logout: from every place, parts of a registry stay" {
    local podman=$HOME/.config/containers/auth.json
    helper box
    mkdir -p "${podman%/*}" "$HOME/.docker"
    login >/dev/null 2>&1
    printf '{"auths": {"%s": {"auth": "dTpw"}, "%s/a": {"auth": "dTpw"}}}' "$REGISTRY" "$REGISTRY" >"$podman"
    printf '{"auths": {"https://%s/v2/": {"auth": "dTpw"}}, "credsStore": "box"}' "$REGISTRY" >"$HOME/$docker"
    echo '{}' >"$HOME/kept.box"
    printf '{"ServerURL":"","Username":"u","Secret":"s"}' >"$HOME/kept.box"
    expect 0 waybill logout "$REGISTRY"
    [ "${#lines[@]}" -eq 3 ]
    [ "$(jq -r '.auths | keys[]' "$podman")" = "$REGISTRY/a" ]
    [ "$(jq -c .auths "$HOME/$docker")" = '{}' ]
    absent "$HOME/kept.box"
}

@test "logout: the tokens of earlier commands are forgotten" {
    expect 0 login
    mkdir -p "$HOME/.cache/waybill/memo/token"
    echo x >"$HOME/.cache/waybill/memo/token/old"
    chmod 700 "$HOME/.cache/waybill/memo" "$HOME/.cache/waybill/memo/token"
    expect 0 waybill logout "$REGISTRY"
    absent "$HOME/.cache/waybill/memo/token/old"
}

@test "login: names of registries" {
    local name
    for name in ghcr localhost:5000/a https://ghcr.io/a oci:x ./x '' 'a b' 'ghcr.io:99999'; do
        expect 2 waybill login --username u --password-stdin "$name" <<<pw
        absent "$HOME/.docker"
    done
    for name in docker.io index.docker.io registry-1.docker.io https://index.docker.io/v1/; do
        expect 4 waybill logout --json "$name"
    done
    mkdir "$HOME/.docker"
    echo '{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}' >"$HOME/$docker"
    expect 0 waybill logout --json docker.io
    [ "$(jq -r .registry <<<"$output")" = docker.io ]
}

@test "login: without a terminal, with a colon in the name, with too much" {
    expect 2 setsid "$WAYBILL" login "$REGISTRY" </dev/null
    err_has 'there is no terminal to ask on'
    expect 2 waybill login --username a:b --password-stdin "$REGISTRY" <<<pw
    err_has 'a colon'
    expect 2 waybill login --username u --identity-token-stdin "$REGISTRY" <<<pw
    err_has contradicts
    expect 2 waybill login --username u --password-stdin "$REGISTRY" </dev/null
    err_has 'its first line is empty'
    absent "$HOME/.docker"
}

# on_terminal ANSWERS ARGUMENT...: waybill with a terminal; the answers, one a line, are typed as the questions come. What the
# terminal showed is on stdout, with whether it showed what is typed.
on_terminal() {
    python3 - "$WAYBILL" "$@" <<'END'
import os, pty, select, signal, sys, termios
program, answers, arguments = sys.argv[1], sys.argv[2].split("\n"), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(program, [program] + arguments)
shown, open_end = b"", True
while open_end:
    ready, _, _ = select.select([fd], [], [], 20)
    try:
        piece = os.read(fd, 4096) if ready else b""
    except OSError:
        piece = b""
    if not ready:
        os.kill(pid, signal.SIGKILL)
    shown += piece
    open_end = bool(piece)
    if answers and shown.rstrip(b" ").endswith(b":"):
        echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
        shown += b"<echo>" if echo else b"<no echo>"
        answer = answers.pop(0)
        os.write(fd, b"\x03" if answer == "^C" else answer.encode() + b"\n")
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
END
}

@test "login: asks on the terminal, and the password is not shown" {
    expect 0 on_terminal $'alice\nse cret:1' login "$REGISTRY"
    out_has 'User name: <echo>alice'
    out_has 'Password: <no echo>'
    out_lacks cret
    out_has "Logged in to $REGISTRY"
    may 0
}

@test "login: the name is given, the password asked for; a wrong one" {
    expect 5 on_terminal 'hemlig' login --username alice "$REGISTRY"
    out_lacks 'User name:'
    out_lacks hemlig
    absent "$HOME/.docker"
}

@test "login: interrupted at the question" {
    expect 130 on_terminal '^C' login --username alice "$REGISTRY"
    absent "$HOME/.docker"
}
