package sockets_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func TestNetIsNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/net.js"}) }

func TestTLSIsNodes(t *testing.T) {
	cert, key := certificate(t)
	npmtest.Same(t, npmtest.Script{Path: "testdata/tls.js", Args: []string{cert, key}})
}

func TestNothingStaysOpen(t *testing.T) {
	before := npmtest.Descriptors(t)
	npmtest.Millrace(t, npmtest.Script{Path: "testdata/left-open.js"})
	npmtest.Settled(t, "descriptors", func() bool { return npmtest.Descriptors(t) <= before })
}

func TestAScriptThatMayNotListen(t *testing.T) {
	got := npmtest.Millrace(t, npmtest.Script{
		Path: "testdata/listen.js",
		Host: func(h *node.Host) {
			h.Listen = func(network, address string) error { return errors.New("no listening on " + network + " " + address) }
		},
	})
	want := "net ERR_ACCESS_DENIED no listening on tcp 127.0.0.1:0\nhttp ERR_ACCESS_DENIED no listening on tcp :0\n" +
		"path ERR_ACCESS_DENIED no listening on unix ./x.sock\n"
	if got != want {
		t.Errorf("printed\n%swant\n%s", got, want)
	}
}

// certificate makes one for localhost, signed by itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}
