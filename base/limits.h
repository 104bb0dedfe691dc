/* SPDX-License-Identifier: Apache-2.0 */
/* Every cap in one place, with where it comes from. Sizes in bytes. */
#ifndef WAYBILL_BASE_LIMITS_H
#define WAYBILL_BASE_LIMITS_H

/* distribution-spec 1.1, "Pushing Manifests": registries and clients SHOULD take at least 4 MiB. */
#define LIMIT_MANIFEST (4U << 20)
/* An index.json of an image layout: the same cap. */
#define LIMIT_INDEX LIMIT_MANIFEST
/* The file oci-layout: one short object. */
#define LIMIT_LAYOUT_FILE 4096U
/* A config blob that is parsed: as a manifest. */
#define LIMIT_CONFIG LIMIT_MANIFEST
/* distribution-spec 1.1, "Pulling manifests": name and host together stay within 255. */
#define LIMIT_NAME 255U
/* A user of an sftp reference: Linux's useradd takes 32, directory services more. */
#define LIMIT_USER 63U
/* distribution-spec 1.1: a tag is at most 128 characters. */
#define LIMIT_TAG 128U
/* image-spec 1.1 does not bound the layers of a manifest; docker and containerd refuse above 127 for images,
 * Spin uses up to 500. */
#define LIMIT_LAYERS 1024U
/* Entries of one index that are read. */
#define LIMIT_MANIFESTS 4096U
/* Annotations of one object. */
#define LIMIT_ANNOTATIONS 1024U
/* Nesting of JSON; sigstore-go and jansson's own default lie between 64 and 2048. */
#define LIMIT_JSON_DEPTH 64U
/* Values in one JSON text: keeps the memory of a 4 MiB manifest made of "[],[],..." in bounds. */
#define LIMIT_JSON_VALUES 200000U
/* An error body of a registry that is read to show its message. */
#define LIMIT_ERROR_BODY (64U << 10)
/* HTTP response headers of one response, all together (libcurl's own cap is 300 KiB). */
#define LIMIT_HTTP_HEADERS (256U << 10)
/* HTTP redirects of one request (oci.md 7.4; curl's default is 30). */
#define LIMIT_HTTP_REDIRECTS 5U
/* A module that is handed to the engine: it is the one thing that is held in memory whole. */
#define LIMIT_MODULE (256U << 20)
/* A blob that is pushed or pulled as a stream: what a signed 64-bit size can say, less a margin. */
#define LIMIT_BLOB (1ULL << 40)
/* Members of one tar. A layer of a distribution holds 10,000 to 100,000 files; a layout of 100,000 blobs fits
 * too. */
#define LIMIT_ARCHIVE_MEMBERS 500000U
/* A member's name or link target: Linux's PATH_MAX; pax has no bound of its own. */
#define LIMIT_ARCHIVE_NAME 4096U
/* The names of all members of an archive that is read by name: 100,000 blobs take 8 MB. */
#define LIMIT_ARCHIVE_NAMES (64U << 20)
/* What a compressed tar may unpack to: sixteen modules of the largest size that is run. */
#define LIMIT_ARCHIVE_UNPACKED (4ULL << 30)
/* How many times larger than its compressed form a tar may be, once it is larger than LIMIT_MODULE: wasm and
 * text shrink 3 to 20 times, nothing but zeros 1,030 times in deflate (RFC 1951) and more in zstd. */
#define LIMIT_ARCHIVE_RATIO 200U
/* Names in the layers of an image that hide those of lower ones: 100,000 files of 160 characters. */
#define LIMIT_IMAGE_HIDDEN (16U << 20)
/* Files of an image that may be its module: each is looked for among those. */
#define LIMIT_IMAGE_CANDIDATES 1000U
/* Sections of one wasm binary; the engine's own parser takes fewer than 100,000 of anything. */
#define LIMIT_WASM_SECTIONS 100000U
/* Import, export, type and name sections that are decoded (not merely hashed). */
#define LIMIT_WASM_DECODED (16U << 20)
/* Imports or exports of one module (wasm-tools' implementation limit). */
#define LIMIT_WASM_IMPORTS 100000U
/* A name in a wasm binary (wasm-tools' implementation limit). */
#define LIMIT_WASM_NAME 100000U
/* Tool conventions, Signatures.md as wasmsign2 reads it: sets, hashes per set, signatures per set. */
#define LIMIT_SIG_SETS   64U
#define LIMIT_SIG_HASHES 64U
#define LIMIT_SIG_SIGS   256U
/* The payload of a signature section: all of the above at their most fits in less. */
#define LIMIT_SIG_SECTION (4U << 20)
/* Signatures and attestations of one manifest that are looked at in one place: notation's --max-signatures.
 */
#define LIMIT_SIGNATURES 100U
/* What was signed, as cosign's simple signing has it: a few hundred bytes and annotations. */
#define LIMIT_PAYLOAD (1U << 20)
/* A Sigstore bundle or a DSSE envelope: an SBOM in it takes megabytes (cosign reads up to 128 MiB). */
#define LIMIT_BUNDLE (16U << 20)
/* One that is looked at whatever the others take: without a key it takes 12 KiB, most of it certificates. */
#define LIMIT_SIGNATURE_SMALL (256U << 10)
/* All larger ones of one manifest together: eight of the largest. Reading them takes a second for each 40
 * MiB, whoever made them. */
#define LIMIT_SIGNATURES_BYTES (8U * LIMIT_BUNDLE)
/* One signature: RSA-8192 has 1 KiB. */
#define LIMIT_DSSE_SIGNATURE 4096U
/* Entries of transparency logs in one bundle; sigstore-go has the same bound (CVE-2024-45395). */
#define LIMIT_TLOG_ENTRIES 32U
/* A trusted root: the public one takes 12 KiB; and the logs or authorities of one kind in it: it has two or
 * three of each. */
#define LIMIT_ROOT         (1U << 20)
#define LIMIT_ROOT_MEMBERS 64U
/* What a log says of one entry, decoded: with an envelope in it (intoto 0.0.2) as large as a bundle. */
#define LIMIT_TLOG_BODY LIMIT_BUNDLE
/* Hashes of an inclusion proof: a tree of 2^64 leaves has that many levels. */
#define LIMIT_TLOG_HASHES 64U
/* A checkpoint, and the signatures under it: the log's and those of its witnesses, about ten. */
#define LIMIT_CHECKPOINT      (64U << 10)
#define LIMIT_NOTE_SIGNATURES 64U
/* Signed certificate timestamps of one certificate: Fulcio puts in one. */
#define LIMIT_SCTS 16U
/* How long the certificate of a keyless signature may be valid, in seconds: Fulcio gives 10 minutes, and none
 * has a reason to give a day. */
#define LIMIT_KEYLESS_VALID 86400
/* Certificates in one chain: Sigstore's and Notary's have two to four. */
#define LIMIT_CHAIN 10U
/* Subjects of an in-toto statement and digests of one subject: sigstore-go's bounds. */
#define LIMIT_SUBJECTS        1024U
#define LIMIT_SUBJECT_DIGESTS 32U
/* A section of claims: a token of a few lines, and at most what other signed payloads may be (1 MiB). */
#define LIMIT_CLAIMS (1U << 20)
/* Tags and capabilities in claims. */
#define LIMIT_CLAIMS_LIST 1024U
/* Modules and components inside one another: honest components are three deep. */
#define LIMIT_WASM_NESTING 16U
/* A key file. An RSA-8192 PKCS#8 key in PEM takes 6.5 KiB. */
#define LIMIT_KEY_FILE (64U << 10)
/* A password of a key file: what a terminal's line holds (N_TTY_BUF_SIZE). */
#define LIMIT_PASSWORD 4096U
/* An SSH signature in its text form: two numbers of RSA-8192, and a namespace. */
#define LIMIT_SSH_SIGNATURE (16U << 10)
/* An allowed_signers file of OpenSSH, and its lines: some hundred bytes for each of some thousand people. */
#define LIMIT_SIGNERS      (1U << 20)
#define LIMIT_SIGNER_LINES 10000U
/* Rounds of bcrypt for an encrypted SSH key: ssh-keygen makes 16 (24 since 9.4), the careful some hundred; a
 * round takes 10 ms. */
#define LIMIT_BCRYPT_ROUNDS 1024U
/* Rounds of PBKDF2 for an encrypted PKCS#8 key: openssl makes 2,048, GnuTLS 600,000, and OWASP asks for
 * 1,300,000 where the hash is SHA-1. */
#define LIMIT_PBKDF2_ROUNDS 3000000U
/* The cost of scrypt for one: 128 MiB of memory, eight times what openssl takes; and cost times parallelism.
 */
#define LIMIT_SCRYPT_COST (1U << 17)
#define LIMIT_SCRYPT_TIME (1U << 20)
/* A message of ssh-agent, and keys in it: OpenSSH's own bounds (AGENT_MAX_LEN, 256 KiB; MAX_AGENT_IDENTITIES,
 * 2048). */
#define LIMIT_AGENT_MESSAGE (256U << 10)
#define LIMIT_AGENT_KEYS    2048U
/* How long an agent may take, in milliseconds: it may have to ask its user. */
#define LIMIT_AGENT_MS 120000
/* A .minisig file: minisign's own bounds on its comments (1,024 and 8,192) and the rest. */
#define LIMIT_MINISIG (10U << 10)
/* The modulus of an RSA key, in bits. Below: NIST SP 800-131A. Above: what Go's crypto/tls still verifies,
 * and for the same reason (CVE-2023-29409: time). */
#define LIMIT_RSA_MIN 2048U
#define LIMIT_RSA_MAX 8192U
/* A certificate; those of public authorities take 1 to 6 KiB. */
#define LIMIT_CERT (64U << 10)
/* Extensions, alternative names, attributes of the subject, purposes of one certificate, each: Fulcio's have
 * 25 extensions. */
#define LIMIT_CERT_PARTS 128U
/* Certificates of one chain: public ones are 3 or 4 long; notation has no cap. */
#define LIMIT_CERTS 16U
/* A file of certificates, and the certificates of one trust store: the Mozilla root program has 150. */
#define LIMIT_CERT_FILE (1U << 20)
#define LIMIT_ANCHORS   1024U
/* A time stamp token with its certificates: those of public authorities take 3 to 7 KiB. */
#define LIMIT_TIMESTAMP (64U << 10)
/* A JWS envelope, with the base64 in it: with a chain of four certificates it takes 8 KiB. */
#define LIMIT_JWS (1U << 20)
/* Pages of one list: 1,000 tags each are usual. */
#define LIMIT_PAGES 1000U
/* Referrers of one manifest, and the texts of all of them together: a hostile registry can state any number.
 */
#define LIMIT_REFERRERS     (128U << 10)
#define LIMIT_REFERRER_TEXT (32U << 20)
/* Referrers of referrers: how deep, and how many manifests one copy or tree takes in all. A signed
 * attestation is two deep. */
#define LIMIT_REFERRER_DEPTH 16U
#define LIMIT_GRAPH          (128U << 10)
/* The names of all tags of a repository together. */
#define LIMIT_TAGS (64U << 20)
/* Rules, mirrors, aliases of registries.conf: containers' own list of short names has about 150. */
#define LIMIT_REGISTRIES 4096U
/* A registry.json of a package registry: a few lines. */
#define LIMIT_PACKAGE_METADATA (64U << 10)
/* A credentials file of docker or podman. */
#define LIMIT_AUTH_FILE (1U << 20)
/* A token reply of a token service. */
#define LIMIT_TOKEN (256U << 10)
/* What a credential helper answers: a token at most. */
#define LIMIT_HELPER LIMIT_TOKEN
/* How long one may take, in milliseconds: it may have to ask its user. */
#define LIMIT_HELPER_MS 60000U
/* Files of the store, the compiled modules and the memos that are looked at together. */
#define LIMIT_CACHE_FILES (1U << 20)
/* All compiled code that is kept, unless the user says otherwise: that of some thousand modules. */
#define LIMIT_CACHE_CODE (1ULL << 30)
/* A memo: a token is the largest thing kept in one. */
#define LIMIT_MEMO LIMIT_TOKEN
/* Artifacts that are verified in one go, and the file that lists them: 320 bytes each. */
#define LIMIT_TARGETS      100000U
#define LIMIT_TARGETS_FILE (32U << 20)
/* A human-written TOML file. */
#define LIMIT_TOML (1U << 20)
/* A pattern in a policy, what it may repeat in all, and what it is matched with: identities are URIs and
 * addresses. */
#define LIMIT_PATTERN        1024U
#define LIMIT_PATTERN_REPEAT 1000U
#define LIMIT_PATTERN_TEXT   4096U
/* Scopes of a policy: those of a file of LIMIT_TOML, and more than any registry has teams. */
#define LIMIT_SCOPES 20000U
/* Names in one list of a policy: keys, digests, capabilities. */
#define LIMIT_POLICY_LIST 4096U
/* What a policy names: a trusted root is some 10 KiB, a store of all public authorities 200 KiB. */
#define LIMIT_POLICY_FILE (4U << 20)
/* By how many seconds a signer's clock may be ahead of ours. */
#define LIMIT_CLOCK_SKEW 60
/* A guest's linear memory when --max-memory does not say otherwise (wasm32's own bound). */
#define LIMIT_GUEST_MEMORY (4ULL << 30)
/* Its tables, and the elements of each: toolchains make one table of some thousand functions; components have
 * some for each module in them. An element takes 8 to 16 bytes. */
#define LIMIT_GUEST_TABLES         64U
#define LIMIT_GUEST_TABLE_ELEMENTS (1U << 20)
/* Linear memories and instances of one guest: the limit on memory is for each; components are made of tens of
 * instances. */
#define LIMIT_GUEST_MEMORIES  8U
#define LIMIT_GUEST_INSTANCES 1024U
/* The stack of its code (the engine's own default), and the most that can be asked for. */
#define LIMIT_GUEST_STACK     (512U << 10)
#define LIMIT_GUEST_STACK_MAX (1U << 30)
/* Descriptors that it has open at a time: what Linux gives a process by default. */
#define LIMIT_GUEST_FILES 1024U
/* Compiling one module, in milliseconds of processor time and in bytes. One of 69 MB (Yosys) takes 73 s and
 * 1.9 GB, the same size in the smallest possible functions five times as much. */
#define LIMIT_COMPILE_MS     300000U
#define LIMIT_COMPILE_MEMORY (4ULL << 30)
/* A file of variables for a guest: Linux takes 2 MiB of arguments and variables together (execve(2)). */
#define LIMIT_ENV_FILE (1U << 20)
/* Variables of one guest: each is compared with all others. */
#define LIMIT_ENV 4096U
/* Denied uses of one guest that are logged one by one: more than an operator reads. */
#define LIMIT_DENIED_LINES 100U
/* Random bytes that a component gets in one call of a deterministic run: each takes 32 on its way. */
#define LIMIT_RANDOM (64U << 10)
/* Values inside one another in WAVE text, and types: wasm-wave's own bound. */
#define LIMIT_WAVE_DEPTH 100U
/* Values of one call or result: more than the engine hands over (128 MiB, 40 bytes each). */
#define LIMIT_WAVE_VALUES (4U << 20)
/* A call as text, and a result: an argument of a command has at most 128 KiB (MAX_ARG_STRLEN). */
#define LIMIT_WAVE_TEXT (64U << 20)
/* Types of one function, each counted as often as it is used. */
#define LIMIT_WAVE_TYPES 100000U
/* Functions that a component exports, and names in one message about them. */
#define LIMIT_INVOKE_EXPORTS 10000U
/* A known_hosts file: some 100,000 hosts. */
#define LIMIT_KNOWN_HOSTS (16U << 20)
/* Servers on the way that ProxyJump describes. */
#define LIMIT_SSH_JUMPS 8U
/* An SFTP packet: what OpenSSH sends at most (PROTOCOL, "limits@openssh.com"). */
#define LIMIT_SFTP_PACKET (256U << 10)
/* Buffers of streams. */
#define STREAM_CHUNK (256U << 10)

#endif
