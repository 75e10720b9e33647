package packager

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/millrace/millrace/packager/dash"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/protect"
)

// LicenseFile answers requests for licenses of ClearKey (W3C Encrypted Media
// Extensions §9.1): keys by their IDs, for players of DASH. It stands beside
// the MPD, so that whoever may have that may have them.
const LicenseFile = "clearkey"

const (
	licenseRequest = 16 << 10 // bytes
	licenseKeys    = 64       // of one request
)

var typeJSON = []string{"application/json"}

// Licensed reports whether the MPD names LicenseFile. It does so by its name
// alone, which is no URL to players: whoever serves the MPD puts one in its place.
func (p *Presentation) Licensed() bool {
	prot := p.cfg.Protection
	return prot != nil && prot.Method == protect.CBCS && prot.URI == "" && p.DASH()
}

// describe says in an MPD how the samples are encrypted, and where licenses are
// if this server gives them out (ISO/IEC 23009-1 §5.8.4.1, DASH-IF IOP 6).
func (k *key) describe() []dash.ContentProtection {
	if k == nil {
		return nil
	}
	id := k.ID
	out := []dash.ContentProtection{{
		Scheme: dash.ProtectionScheme, Value: fmp4.SchemeCBCS, Namespace: dash.CENCNamespace,
		KID: fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
	}}
	if k.served {
		out = append(out, dash.ContentProtection{
			Scheme: dash.ClearKeyScheme, Value: "ClearKey1.0",
			License: &dash.License{Namespace: dash.IFNamespace, Type: "EME-1.0", URL: LicenseFile},
		})
	}
	return out
}

// jsonKey is a key as JSON Web Key writes it (RFC 7517).
type jsonKey struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Value string `json:"k"`
}

// serveLicense answers with those of the keys asked for that some segment needs.
func (p *Presentation) serveLicense(w http.ResponseWriter, r *http.Request) {
	if !p.Licensed() {
		notFound(w)
		return
	}
	var asked struct {
		IDs  []string `json:"kids"`
		Type string   `json:"type"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, licenseRequest))
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	if err != nil || len(asked.IDs) == 0 || len(asked.IDs) > licenseKeys {
		http.Error(w, `this is no request for a license: send {"kids": ["BASE64URL"], "type": "temporary"}`, http.StatusBadRequest)
		return
	}
	license := struct {
		Keys []jsonKey `json:"keys"`
		Type string    `json:"type"`
	}{Type: "temporary"}
	for _, text := range asked.IDs {
		id, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(id) != 16 {
			continue
		}
		if k := p.findKey(fmt.Sprintf("%x", id)); k != nil && k.served {
			license.Keys = append(license.Keys, jsonKey{"oct", text, base64.RawURLEncoding.EncodeToString(k.Value[:])})
		}
	}
	if len(license.Keys) == 0 {
		notFound(w)
		return
	}
	answer, err := json.Marshal(license)
	if err != nil {
		notFound(w)
		return
	}
	h := w.Header()
	h["Content-Type"] = typeJSON
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(answer) // an error means that the client is gone
}
