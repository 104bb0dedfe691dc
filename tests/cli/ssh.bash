# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# OpenSSH's own server, agent and keys, for the tests of what goes over SSH. Load it behind lib.

# ssh_keys: key pairs without a passphrase in $BATS_FILE_TMPDIR/keys: host, host2, user, stranger; locked has one. Call it
# in setup_file.
ssh_keys() {
    local dir=$BATS_FILE_TMPDIR/keys name
    mkdir -p "$dir"
    for name in host host2 user stranger; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$dir/$name"; done
    ssh-keygen -q -t ed25519 -N secret -C locked -f "$dir/locked"
    export SSH_KEYS=$dir
}

# start_sshd [LINE...]: a server on a free port of the loopback interface that takes the key "user"; LINEs go before the
# rest of its configuration. Sets SSHD (user@127.0.0.1:port), SSHD_PORT, SSHD_PID and SSHD_LOG. Ended by stop_sshd.
start_sshd() {
    local dir=$BATS_TEST_TMPDIR/sshd try
    mkdir -p "$dir"
    # what sshd wants to be there when it is started by root
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    cp "$SSH_KEYS/user.pub" "$dir/authorized_keys"
    SSHD_LOG=$dir/log
    for ((try = 0; try < 20; try++)); do
        SSHD_PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
        {
            printf '%s\n' "$@"
            cat <<END
ListenAddress 127.0.0.1
Port $SSHD_PORT
HostKey $SSH_KEYS/host
PidFile none
AuthorizedKeysFile $dir/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
LogLevel VERBOSE
Subsystem sftp internal-sftp
END
        } >"$dir/config"
        : >"$SSHD_LOG"
        /usr/sbin/sshd -D -f "$dir/config" -E "$SSHD_LOG" 3>&- &
        SSHD_PID=$!
        local look
        for ((look = 0; look < 50; look++)); do
            if grep -q 'Server listening' "$SSHD_LOG"; then
                SSHD=$(id -un)@127.0.0.1:$SSHD_PORT
                export SSHD SSHD_PORT SSHD_PID SSHD_LOG
                return 0
            fi
            kill -0 "$SSHD_PID" 2>/dev/null || break
            sleep 0.05
        done
        stop_sshd
    done
    fail "sshd did not start" "$(cat "$SSHD_LOG")"
}

# stop_sshd: the server and what it made for connections.
stop_sshd() {
    [ -n "${SSHD_PID:-}" ] || return 0
    local child
    for child in $(pgrep -P "$SSHD_PID"); do
        local grandchild
        for grandchild in $(pgrep -P "$child"); do kill "$grandchild" 2>/dev/null || true; done
        kill "$child" 2>/dev/null || true
    done
    kill "$SSHD_PID" 2>/dev/null || true
    wait "$SSHD_PID" 2>/dev/null || true
    SSHD_PID=
}

# know_sshd [KEY]: $HOME/.ssh/known_hosts says that the server has that key (host).
know_sshd() {
    mkdir -p "$HOME/.ssh"
    chmod 700 "$HOME/.ssh"
    printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" "$(cut -d' ' -f1,2 "$SSH_KEYS/${1:-host}.pub")" >"$HOME/.ssh/known_hosts"
}

# use_key [NAME]: the key (user) as $HOME/.ssh/id_ed25519.
use_key() {
    mkdir -p "$HOME/.ssh"
    chmod 700 "$HOME/.ssh"
    cp "$SSH_KEYS/${1:-user}" "$HOME/.ssh/id_ed25519"
    chmod 600 "$HOME/.ssh/id_ed25519"
}

# start_agent [NAME]: an ssh-agent that has the key (user). Ended by stop_agent.
start_agent() {
    export SSH_AUTH_SOCK=$BATS_TEST_TMPDIR/agent
    ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null 2>&1 3>&- &
    AGENT_PID=$!
    local try
    for ((try = 0; try < 100; try++)); do
        [ ! -S "$SSH_AUTH_SOCK" ] || break
        sleep 0.05
    done
    ssh-add -q "$SSH_KEYS/${1:-user}"
}

stop_agent() {
    unset SSH_AUTH_SOCK
    [ -n "${AGENT_PID:-}" ] || return 0
    kill "$AGENT_PID" 2>/dev/null || true
    wait "$AGENT_PID" 2>/dev/null || true
    AGENT_PID=
}

# fingerprint NAME: SHA256:...
fingerprint() { ssh-keygen -lf "$SSH_KEYS/$1.pub" | cut -d' ' -f2; }
