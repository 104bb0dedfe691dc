#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

# The vector of nkeys' own documentation of seeds and their public keys.
seed=SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4
account=ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2

err_lacks() { [[ $stderr != *"$1"* ]] || fail "not expected on stderr: $1"; }
fingerprint() { waybill key show --json "$1" | jq -r .fingerprint; }

@test "show: what a file holds, and what every format calls the key" {
    waybill keygen -o k
    expect 0 waybill key show k.key
    [ "${lines[0]}" = "File:        k.key" ]
    [ "${lines[1]}" = "Kind:        PKCS#8 PEM" ]
    [ "${lines[2]}" = "Type:        ed25519" ]
    [ "${lines[3]}" = "Holds:       private key" ]
    [ "${lines[4]}" = "Fingerprint: SHA256:$(openssl pkey -pubin -in k.pub -outform DER | sha256sum | cut -d' ' -f1)" ]
    [ "${lines[5]}" = "Sigstore:    $(openssl pkey -pubin -in k.pub -outform DER | openssl sha256 -binary | base64)" ]
    [[ ${lines[7]} =~ ^wasmsign2:\ \ \ [0-9a-f]{24}$ ]]
    [[ ${lines[8]} =~ ^nkeys:\ {7}A[A-Z2-7]{55}$ ]]
    [[ ${lines[9]} =~ ^nkeys:\ {7}M[A-Z2-7]{55}$ ]]
    expect 0 waybill key show k.pub
    [ "${lines[3]}" = "Holds:       public key" ]
}

@test "show --json" {
    for type in ed25519 p256 p384 rsa; do
        waybill keygen --type $type -o $type
        expect 0 waybill key show --json $type.pub
        [ "$(jq -r '"\(.schema) \(.action) \(.type) \(.format) \(.private) \(.encrypted) \(has("wasmsign2")) \(has("nkeys"))"' <<<"$output")" = \
            "waybill.key/1 show $type spki false false $([ $type = ed25519 ] && echo true true || echo false false)" ]
    done
    [ "$(jq -r .bits <<<"$output")" = 2048 ]
}

@test "show: OpenSSH's fingerprint is that of ssh-keygen" {
    for type in ed25519 p256 p384 rsa; do
        waybill keygen --type $type -o $type
        waybill key convert --to openssh-public -o $type.ssh $type.key
        [ "$(waybill key show --json $type.key | jq -r .openssh)" = "$(ssh-keygen -lf $type.ssh | cut -d' ' -f2)" ]
    done
}

@test "nkeys: a seed and its public key, both ways" {
    printf %s $seed >a.nk
    chmod 600 a.nk
    expect 0 waybill key show --json a.nk
    [ "$(jq -r '.nkeys[0] + " " + .format + " " + (.private | tostring)' <<<"$output")" = "$account nkeys true" ]
    expect 0 waybill key convert --public --to nkeys -o - a.nk
    out_is $account
    waybill key convert -o a.key a.nk
    waybill key convert --to nkeys-account -o again.nk a.key
    [ "$(cat again.nk)" = $seed ]
    expect 2 waybill key convert --to nkeys -o no.nk a.key
    err_has 'nkeys-account'
    echo ${seed}A >bad.nk
    expect 16 waybill key show bad.nk
    err_lacks "${seed:0:20}"
    echo ${seed/KCJ/KCK} >bad.nk
    expect 16 waybill key show bad.nk
    err_lacks "${seed:0:10}"
}

@test "convert: every form to every other and back is the same key" {
    export WAYBILL_PASSWORD=hemlig
    waybill keygen -o start
    want=$(fingerprint start.key)
    for a in pem pkcs8 cosign wasmsign2 nkeys-module; do
        waybill key convert --to $a -o $a.key start.key
        [ "$(stat -c %a $a.key)" = 600 ]
        for b in pem cosign wasmsign2 nkeys-user; do
            waybill key convert --to $b -o $a-$b.key $a.key
            [ "$(fingerprint $a-$b.key)" = "$want" ]
            waybill key convert --to pkcs8 -o $a-$b.back $a-$b.key
            cmp $a-$b.back start.key
        done
        for b in pem spki wasmsign2 nkeys-user; do
            waybill key convert --public --to $b -o $a-$b.pub $a.key
            [ "$(stat -c %a $a-$b.pub)" = 644 ]
            [ "$(fingerprint $a-$b.pub)" = "$want" ]
            waybill key convert --to spki -o $a-$b.spki $a-$b.pub
            cmp $a-$b.spki start.pub
        done
    done
}

@test "convert: what cannot be" {
    waybill keygen --type p256 -o p
    waybill keygen -o e
    expect 1 waybill key convert --to wasmsign2 -o out p.key
    err_has 'Ed25519'
    expect 1 waybill key convert --to nkeys-user -o out p.key
    expect 2 waybill key convert --to pkcs8 -o out p.pub
    err_has 'pkcs8 is for private keys'
    expect 2 waybill key convert --to pkcs8 --public -o out p.key
    expect 2 waybill key convert --to spki p.key
    err_has "option '--output OUT' is missing"
    expect 2 waybill key convert --to der -o out p.key
    expect 2 waybill key show --public e.key
    expect 2 waybill key twist e.key
    err_has 'show and convert are known'
    expect 2 waybill key show
    expect 4 waybill key show none.key
    expect 1 waybill key convert --to spki -o e.key e.pub
    err_has 'already exists'
    absent out
    tidy .
}

@test "a password comes from a descriptor, the environment or the terminal, in this order" {
    WAYBILL_PASSWORD=right waybill keygen --type p256 --encrypt -o k
    expect 0 waybill key show --password-fd 3 k.key 3<<<right
    WAYBILL_PASSWORD=wrong expect 0 waybill key show --password-fd 3 k.key 3<<<right
    WAYBILL_PASSWORD=right expect 5 waybill key show --password-fd 3 k.key 3<<<wrong
    WAYBILL_PASSWORD=right COSIGN_PASSWORD=wrong expect 0 waybill key show k.key
    COSIGN_PASSWORD=right expect 0 waybill key show k.key
    # beside a user name it is the registry's
    WAYBILL_USERNAME=user WAYBILL_PASSWORD=wrong COSIGN_PASSWORD=right expect 0 waybill key show k.key
    expect 0 python3 "$root/tests/cli/typed.py" right -- "$WAYBILL" key show k.key
    out_has 'Password for k.key: '
    out_has 'Holds:       private key, encrypted'
    out_lacks right
    expect 5 python3 "$root/tests/cli/typed.py" wrong -- "$WAYBILL" key show k.key
    expect 2 setsid "$WAYBILL" key show k.key
    err_has 'no terminal'
    for fd in x -1 '' 9999 77; do
        expect 2 waybill key show --password-fd "$fd" k.key
    done
}

@test "an empty password is one" {
    COSIGN_PASSWORD='' waybill keygen --encrypt -o k
    COSIGN_PASSWORD='' expect 0 waybill key show k.key
    COSIGN_PASSWORD=x expect 5 waybill key show k.key
}

@test "the password changes with a conversion from cosign to cosign" {
    WAYBILL_PASSWORD=one waybill keygen --encrypt -o k
    WAYBILL_PASSWORD=one waybill key convert -o plain.key k.key
    expect 0 waybill key convert --to cosign --password-fd 3 -o new.key plain.key 3<<<two
    WAYBILL_PASSWORD=two expect 0 waybill key show new.key
    WAYBILL_PASSWORD=one expect 5 waybill key show new.key
}

@test "signs with an encrypted key, and says nothing of its password" {
    guest hello
    WAYBILL_PASSWORD=hemlig waybill keygen --encrypt -o k
    WAYBILL_PASSWORD=hemlig expect 0 waybill sign --debug --key k.key -o signed.wasm hello.wasm
    err_lacks hemlig
    expect 0 waybill verify --key k.pub signed.wasm
    WAYBILL_PASSWORD=falsch expect 5 waybill sign --key k.key -o again.wasm hello.wasm
    err_lacks falsch
    expect 2 setsid "$WAYBILL" sign --key k.key -o again.wasm hello.wasm
    absent again.wasm
}

@test "a file of anybody's cannot make scrypt use a terabyte" {
    printf '%s' '{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},"cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}' >json
    { echo '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----' && base64 -w 64 json && echo '-----END ENCRYPTED SIGSTORE PRIVATE KEY-----'; } >k.key
    WAYBILL_PASSWORD=x expect 16 waybill key show k.key
    err_has "scrypt"
}

@test "a private key that others can read is pointed at" {
    waybill keygen -o k
    chmod 644 k.key
    expect 0 waybill key show k.key
    err_has 'others can reach this private key'
    chmod 600 k.key
    expect 0 waybill key show k.key
    err_is ''
}

@test "no core dump while a private key is there" {
    ulimit -c unlimited 2>/dev/null || ulimit -c 1000
    WAYBILL_PASSWORD=x waybill keygen --encrypt -o k
    mkfifo slow
    "$WAYBILL" key show --password-fd 3 k.key 3<>slow >shown &
    local pid=$!
    for _ in $(seq 200); do
        grep -q 'Max core file size *0 *0 ' "/proc/$pid/limits" && break
        sleep 0.05
    done
    grep 'Max core file size *0 *0 ' "/proc/$pid/limits"
    echo x >slow
    wait $pid
    grep encrypted shown
}

@test "openssh: ssh-keygen reads ours, encrypted or not, and we its" {
    export WAYBILL_PASSWORD=hemlig
    for type in ed25519 p256 p384 rsa; do
        waybill keygen --type $type -o $type
        expect 0 waybill key convert --to openssh -o $type.ssh $type.key
        [ "$(ssh-keygen -y -f $type.ssh | cut -d' ' -f1-2)" = "$(waybill key convert --to openssh-public -o - $type.pub)" ]
        expect 0 waybill key convert --to openssh --encrypt --json -o $type.enc $type.key
        [ "$(jq -r '"\(.private) \(.encrypted)"' <<<"$output")" = 'true true' ]
        [ "$(ssh-keygen -y -P hemlig -f $type.enc | cut -d' ' -f1-2)" = "$(waybill key convert --to openssh-public -o - $type.pub)" ]
        [ "$(fingerprint $type.enc)" = "$(fingerprint $type.key)" ]
    done
    WAYBILL_PASSWORD=falsch expect 5 waybill key show rsa.enc
    expect 0 waybill keygen --format openssh --encrypt -o new
    ssh-keygen -y -P hemlig -f new.key >derived
    cmp <(cut -d' ' -f1-2 derived) new.pub
    expect 2 waybill key convert --to pkcs8 --encrypt -o out ed25519.key
    absent out
}

@test "what openssl writes is read by content: SEC 1, PKCS#1, encrypted PKCS#8, DER, text before the block" {
    openssl ecparam -name secp384r1 -genkey -out sec1.key 2>/dev/null
    openssl genrsa -traditional -out pkcs1.key 2048 2>/dev/null
    openssl genpkey -algorithm ed25519 -out plain.key
    openssl pkcs8 -topk8 -in plain.key -passout pass:hemlig -out sealed.key
    openssl pkcs8 -topk8 -scrypt -in plain.key -passout pass:hemlig -outform DER -out sealed.der
    openssl pkey -in plain.key -outform DER -out plain.der
    openssl pkey -in plain.key -pubout -outform DER -out public.der
    { openssl pkey -in plain.key -noout -text_pub && openssl pkey -in plain.key -pubout; } >text.pub
    chmod 600 ./*.key ./*.der
    export WAYBILL_PASSWORD=hemlig
    while read -r file kind holds; do
        expect 0 waybill key show --json "$file"
        [ "$(jq -r '"\(.format) \(.private) \(.encrypted)"' <<<"$output")" = "$kind $holds" ]
        openssl pkey -in "$file" -passin pass:hemlig -pubout -out want.pub 2>/dev/null ||
            openssl pkey -pubin -in "$file" -out want.pub
        expect 0 waybill key convert --public --to spki -o - "$file"
        out_is "$(cat want.pub)"
    done <<'EOF'
sec1.key sec1 true false
pkcs1.key pkcs1 true false
sealed.key pkcs8-encrypted true true
sealed.der der true true
plain.der der true false
public.der der false false
text.pub spki false false
EOF
    WAYBILL_PASSWORD=wrong expect 5 waybill key show sealed.key
    err_has 'wrong password'
    guest hello
    expect 0 waybill sign --key sealed.key -o signed.wasm hello.wasm
    expect 0 waybill verify --key public.der signed.wasm
    expect 0 waybill verify --key text.pub signed.wasm
}

@test "OpenSSL's old encryption is refused, and its message says how to convert the key" {
    openssl ecparam -name prime256v1 -genkey -noout | openssl ec -aes256 -passout pass:x -out old.key 2>/dev/null
    chmod 600 old.key
    WAYBILL_PASSWORD=x expect 1 waybill key show old.key
    err_has "'openssl pkcs8 -topk8 -in OLD -out NEW' converts it"
    openssl pkcs8 -topk8 -in old.key -passin pass:x -passout pass:y -out new.key
    WAYBILL_PASSWORD=y expect 0 waybill key show new.key
    out_has 'Holds:       private key, encrypted'
}

@test "key files are read from pipes, up to their size; devices, sockets and folders are no key files" {
    signed_guests
    want=$(fingerprint alice.key)
    expect 0 waybill key show --json <(cat alice.key)
    [ "$(jq -r .fingerprint <<<"$output")" = "$want" ]
    [[ $stderr != *chmod* ]] || fail "$stderr"
    expect 0 waybill verify --key <(cat alice.pub) signed.wasm
    expect 0 waybill sign --key <(cat alice.key) -o piped.wasm hello.wasm
    cmp signed.wasm piped.wasm
    cat alice.pub | expect 0 waybill key show /dev/stdin
    expect 16 waybill key show <(:)
    expect 16 waybill key show <(exec cat /dev/zero)
    err_has 'larger than 65536 bytes'
    expect 1 waybill key show /dev/zero
    err_has 'not a regular file'
    expect 1 waybill verify --key . signed.wasm
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    expect 1 waybill key show socket
    # What a policy names stays a file: who owns a pipe says nothing of who writes to it.
    printf '%s\n' 'version = 1' '[keys.a]' 'file = "/dev/stdin"' '[scopes.""]' 'keys = ["a"]' >policy.toml
    chmod go-w policy.toml .
    expect 2 waybill policy check policy.toml < <(cat alice.pub)
    err_has 'not a regular file'
}
