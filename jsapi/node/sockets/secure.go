package sockets

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// secure(handle, server, options, callback(error, session), head) makes a
// connection a TLS one, in place. options are those of TLSConfig, head is what
// was read from it already.
func secure(a native.Args) (any, error) {
	c, ok := native.Held(a.Get(0, "conn")).(*Conn)
	if !ok {
		return nil, &loop.Error{Name: "TypeError", Code: "ERR_INVALID_ARG_TYPE", Message: "TLS needs a connected socket"}
	}
	server := a.Bool(1)
	config, err := TLSConfig(func(name string) goja.Value { return a.Get(2, name) })
	if err != nil {
		return nil, err
	}
	take := c.take(a.Copy(4))
	callback, pending := a.Callback(3), a.Loop.Pending()
	go func() {
		ctx, cancel := context.WithTimeout(a.Loop.Context(), 2*time.Minute)
		defer cancel()
		conn := tls.Client(take(), config)
		if server {
			conn = tls.Server(conn.NetConn(), config)
		}
		err := conn.HandshakeContext(ctx)
		pending.Settle(func() {
			if err != nil {
				callback.Return(nil, Failed(err, "handshake", "", 0))
				return
			}
			c.net, c.taken = conn, false
			callback.Return(session(conn.ConnectionState()), nil)
		})
	}()
	return nil, nil
}

// TLSConfig is what a script's options mean: ca, cert, key (PEM, or arrays of
// it), servername, rejectUnauthorized, ALPNProtocols, minVersion, maxVersion,
// requestCert.
func TLSConfig(get func(string) goja.Value) (*tls.Config, error) {
	config := &tls.Config{MinVersion: version(get("minVersion"), tls.VersionTLS12), MaxVersion: version(get("maxVersion"), 0)}
	given := func(name string) bool { v := get(name); return !goja.IsUndefined(v) && !goja.IsNull(v) }
	if given("servername") {
		config.ServerName = get("servername").String()
	}
	if given("rejectUnauthorized") {
		config.InsecureSkipVerify = !get("rejectUnauthorized").ToBoolean()
	}
	if given("requestCert") && get("requestCert").ToBoolean() {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if config.InsecureSkipVerify {
			config.ClientAuth = tls.RequestClientCert
		}
	}
	if given("ALPNProtocols") {
		config.NextProtos = texts(get("ALPNProtocols"))
	}
	if given("ca") {
		pool := x509.NewCertPool()
		for _, pem := range texts(get("ca")) {
			if !pool.AppendCertsFromPEM([]byte(pem)) {
				return nil, &loop.Error{Code: "ERR_OSSL_PEM_NO_START_LINE", Message: "option ca holds no certificate in PEM form"}
			}
		}
		config.RootCAs, config.ClientCAs = pool, pool
	}
	if given("cert") != given("key") {
		return nil, &loop.Error{Code: "ERR_INVALID_ARG_VALUE", Message: "the options cert and key belong together: one of them is missing"}
	}
	if given("cert") {
		pair, err := tls.X509KeyPair([]byte(strings.Join(texts(get("cert")), "\n")), []byte(strings.Join(texts(get("key")), "\n")))
		if err != nil {
			return nil, &loop.Error{Code: "ERR_OSSL_PEM", Message: fmt.Sprintf("read the options cert and key: %v", err), Cause: err}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func version(v goja.Value, otherwise uint16) uint16 {
	switch v.String() {
	case "TLSv1":
		return tls.VersionTLS10
	case "TLSv1.1":
		return tls.VersionTLS11
	case "TLSv1.2":
		return tls.VersionTLS12
	case "TLSv1.3":
		return tls.VersionTLS13
	}
	return otherwise
}

// texts is a string, a Buffer, or an array of such.
func texts(v goja.Value) []string {
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		return []string{string(native.Bytes(v))}
	}
	var all []string
	for i := range int(o.Get("length").ToInteger()) {
		all = append(all, string(native.Bytes(o.Get(fmt.Sprint(i)))))
	}
	return all
}

// session tells what a handshake agreed on.
func session(s tls.ConnectionState) func(*goja.Runtime) goja.Value {
	return func(rt *goja.Runtime) goja.Value {
		names := map[uint16]string{
			tls.VersionTLS10: "TLSv1", tls.VersionTLS11: "TLSv1.1", tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3",
		}
		o := rt.NewObject()
		_ = o.Set("protocol", names[s.Version])
		_ = o.Set("cipher", tls.CipherSuiteName(s.CipherSuite))
		_ = o.Set("alpn", s.NegotiatedProtocol)
		_ = o.Set("servername", s.ServerName)
		_ = o.Set("authorized", len(s.VerifiedChains) > 0)
		if len(s.PeerCertificates) > 0 {
			_ = o.Set("peer", certificate(rt, s.PeerCertificates[0]))
		}
		return o
	}
}

func certificate(rt *goja.Runtime, c *x509.Certificate) goja.Value {
	const layout = "Jan _2 15:04:05 2006 GMT"
	sum := sha256.Sum256(c.Raw)
	pairs := make([]string, len(sum))
	for i := range sum {
		pairs[i] = strings.ToUpper(hex.EncodeToString(sum[i : i+1]))
	}
	var names []string
	for _, n := range c.DNSNames {
		names = append(names, "DNS:"+n)
	}
	for _, ip := range c.IPAddresses {
		names = append(names, "IP Address:"+ip.String())
	}
	o := rt.NewObject()
	_ = o.Set("subject", map[string]any{"CN": c.Subject.CommonName})
	_ = o.Set("issuer", map[string]any{"CN": c.Issuer.CommonName})
	_ = o.Set("subjectaltname", strings.Join(names, ", "))
	_ = o.Set("valid_from", c.NotBefore.UTC().Format(layout))
	_ = o.Set("valid_to", c.NotAfter.UTC().Format(layout))
	_ = o.Set("fingerprint256", strings.Join(pairs, ":"))
	_ = o.Set("serialNumber", strings.ToUpper(c.SerialNumber.Text(16)))
	_ = o.Set("raw", rt.NewArrayBuffer(append([]byte(nil), c.Raw...)))
	return o
}
