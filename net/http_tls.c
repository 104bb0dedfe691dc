/* SPDX-License-Identifier: Apache-2.0 */
/* TLS: whom we trust, who we say we are, and in words what was wrong. */
#include "base/text.h"
#include "net/http_curl.h"

bool net_http_tls_set(CURL *easy, const struct net_http_conf *conf, const struct net_http_hop *hop)
{
    bool ok = true;
#define SET(option, value) (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)
    if (conf->ca_file) {
        SET(CURLOPT_CAINFO, conf->ca_file);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_PROXY_CAINFO, conf->ca_file);
        SET(CURLOPT_PROXY_CAPATH, NULL);
    }
    if (conf->insecure) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (hop->with_cert) {
        SET(CURLOPT_SSLCERT, conf->cert);
        SET(CURLOPT_SSLKEY, conf->cert_key ? conf->cert_key : conf->cert);
        SET(CURLOPT_KEYPASSWD, ""); /* or OpenSSL asks the terminal for the password of an encrypted key */
    }
#undef SET
    return ok;
}

/* OpenSSL's X509_V_ERR_*, of which libcurl gives the number alone. */
static const struct {
    long result;
    const char *text;
} verdicts[] = {
    {9, "its certificate is not valid yet"},
    {10, "its certificate has expired"},
    {18, "its certificate is signed by itself and not one of the trusted ones (see --ca-file)"},
    {19, "its certificate is signed by an authority that is not known here (see --ca-file)"},
    {20, "its certificate is signed by an authority that is not known here (see --ca-file)"},
    {21, "its certificate is signed by an authority that is not known here (see --ca-file)"},
    {24, "its certificate is signed by something that is no authority"},
    {26, "its certificate is not one for servers"},
    {62, "its certificate is for another host"},
    {64, "its certificate is for another host"},
};

/* What OpenSSL says when the server sent an alert, and when what came is no TLS. */
static const struct {
    const char *part, *text, *text_with_cert;
} alerts[] = {
    {"wrong version number", "no TLS there; plain HTTP is spoken only where that is asked for", NULL},
    {"certificate required", "the server wants a client certificate (see --cert)", NULL},
    {"alert bad certificate", "the server wants a client certificate (see --cert)",
     "the server refuses the client certificate"},
    {"alert unknown ca", "the server wants a client certificate (see --cert)",
     "the server refuses the client certificate: it does not know who signed it"},
    {"alert certificate expired", NULL, "the server refuses the client certificate: it has expired"},
    {"alert certificate unknown", NULL, "the server refuses the client certificate"},
    {"alert unsupported certificate", NULL, "the server refuses the client certificate"},
    {"alert certificate revoked", NULL, "the server refuses the client certificate: it is revoked"},
    {"alert handshake failure", "the server refuses the TLS handshake; it may want a client certificate",
     "the server refuses the TLS handshake"},
    {"alert protocol version", "the server and libcurl have no version of TLS in common", NULL},
    {"unsupported protocol", "the server and libcurl have no version of TLS in common", NULL},
};

static int bad_peer(CURL *easy, const char *text, const char *host, struct err *e)
{
    char shown[CURL_ERROR_SIZE];
    long result = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        if (verdicts[i].result == result)
            return err_set(e, ERR_NETWORK, "%s: %s", host, verdicts[i].text);
    }
    if (strstr(text, "subject name") && strstr(text, "match"))
        return err_set(e, ERR_NETWORK, "%s: its certificate is for another host", host);
    return err_set(e, ERR_NETWORK, "%s: its certificate is refused: %s", host,
                   text_escape_str(text, shown, sizeof(shown)));
}

static int bad_file(const char *what, const char *path, const char *hint, struct err *e)
{
    char shown[256];
    return err_set(e, ERR_CONFIG, "%s %s: %s", what, text_escape_str(path, shown, sizeof(shown)), hint);
}

bool net_http_ended_early(CURL *easy, CURLcode code)
{
    long connects = 0, status = 0;
    curl_off_t handshake = 0, uploaded = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING) &&
           connects > 0 && handshake > 0 && status == 0 && uploaded == 0;
}

/* From TLS 1.3 on a server looks at the client's certificate when the client is done with the handshake: its
 * alert and the request cross, and the connection may be gone before the alert is read. */
const char *net_http_tls_guess(CURL *easy, CURLcode code, const struct net_http_hop *hop)
{
    if (!hop->at.tls || !net_http_ended_early(easy, code))
        return "";
    return hop->with_cert ? "; perhaps the server refuses the client certificate"
                          : "; perhaps the server wants a client certificate (see --cert)";
}

int net_http_tls_failure(CURL *easy, CURLcode code, const char *text, const struct net_http_conf *conf,
                         const struct net_http_hop *hop, struct err *e)
{
    char host[300];
    (void)text_escape_str(hop->at.host, host, sizeof(host));
    if (code == CURLE_SSL_CACERT_BADFILE && conf->ca_file)
        return bad_file("authorities", conf->ca_file, "no certificate in PEM in it", e);
    if (code == CURLE_SSL_CERTPROBLEM && hop->with_cert) {
        if (strstr(text, "client certificate"))
            return bad_file("client certificate", conf->cert, "no certificate in PEM in it", e);
        return bad_file("key of the client certificate", conf->cert_key ? conf->cert_key : conf->cert,
                        "not a key in PEM without a password, or that of another certificate", e);
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return bad_peer(easy, text, host, e);
    if (code == CURLE_SSL_CLIENTCERT)
        return err_set(e, ERR_NETWORK, "%s: %s", host, "the server wants a client certificate (see --cert)");
    if (code != CURLE_SSL_CONNECT_ERROR && code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        const char *ours =
            hop->with_cert && alerts[i].text_with_cert ? alerts[i].text_with_cert : alerts[i].text;
        if (ours && strstr(text, alerts[i].part))
            return err_set(e, ERR_NETWORK, "%s: %s", host, ours);
    }
    return 0;
}
