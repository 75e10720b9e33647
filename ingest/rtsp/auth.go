package rtsp

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"github.com/millrace/millrace/ingest"
)

const realm = "millrace"

// authMethods in the order they are offered: clients that take the first one
// do not send passwords in clear. SHA-256 is left out: ffmpeg stumbles over it.
var authMethods = []auth.VerifyMethod{auth.VerifyMethodDigestMD5, auth.VerifyMethodBasic}

// maxFailures is how many wrong passwords a connection may try.
const maxFailures = 3

// credentials fills a request's user, password and verification from the
// Authorization header.
func credentials(r *ingest.Request, req *base.Request, nonce string) {
	user, password, ok := basicCredentials(req.Header["Authorization"])
	if ok {
		r.User, r.Password = user, password
		r.Verify = func(u, p string) bool { return u == user && p == password }
		return
	}
	var h headers.Authorization
	if err := h.Unmarshal(req.Header["Authorization"]); err != nil || h.Method != headers.AuthMethodDigest {
		return
	}
	r.User = h.Username
	r.Verify = func(u, p string) bool {
		return nonce != "" && auth.Verify(req, u, p, authMethods, realm, nonce) == nil
	}
}

// basicCredentials reads a Basic header; passwords may hold colons.
func basicCredentials(v base.HeaderValue) (user, password string, ok bool) {
	if len(v) != 1 || len(v[0]) < 6 || !strings.EqualFold(v[0][:6], "Basic ") {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(v[0][6:]))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// challenge asks for credentials.
func challenge(res *base.Response, nonce string) {
	res.Header["WWW-Authenticate"] = auth.GenerateWWWAuthenticate(authMethods, realm, nonce)
}

// parseQuery reads a URL's query as far as it can be read.
func parseQuery(raw string) url.Values {
	v, err := url.ParseQuery(raw)
	if v == nil || err != nil && len(v) == 0 {
		return url.Values{}
	}
	return v
}
