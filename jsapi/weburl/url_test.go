package weburl_test

import (
	"errors"
	"testing"

	"github.com/millrace/millrace/jsapi/weburl"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, base, want string }{
		{"http://EXAMPLE.com:80/%7Efoo/../bar", "", "http://example.com/bar"},
		{"./x", "file:///tmp/a/b.js", "file:///tmp/a/x"},
		{"../y?q#h", "http://h.com/a/b/c", "http://h.com/a/y?q#h"},
		{"//other/z", "https://h/a", "https://other/z"},
		{"?z", "http://h/a?b#c", "http://h/a?z"},
		{"#z", "http://h/a?b", "http://h/a?b#z"},
		{"", "http://h/a?b#c", "http://h/a?b"},
		{"/abs", "file:///tmp/a", "file:///abs"},
		{"mailto:a@b", "", "mailto:a@b"},
		{"http://user:p%40ss@[::1]:3000/x y?a b#c d", "", "http://user:p%40ss@[::1]:3000/x%20y?a%20b#c%20d"},
		{"http://u@v@w/", "", "http://u%40v@w/"},
		{"file:///C|/x/..", "", "file:///C:/"},
		{"http://münchen.de/ä?ö", "", "http://xn--mnchen-3ya.de/%C3%A4?%C3%B6"},
		{"http://0x7f.1/", "", "http://127.0.0.1/"},
		{"http://[1:0:0:2::3]/", "", "http://[1:0:0:2::3]/"},
		{"http://[2001:db8:0:0:1:0:0:1]/", "", "http://[2001:db8::1:0:0:1]/"},
		{"http://[::ffff:1.2.3.4]/", "", "http://[::ffff:102:304]/"},
		{`http:\\a\b`, "", "http://a/b"},
		{"http:/a", "", "http://a/"},
		{" \thttp://a\n.b/ ", "", "http://a.b/"},
		{"foo://a/../b", "", "foo://a/b"},
		{"foo:bar?x#y", "", "foo:bar?x#y"},
		{"web+demo:/.//p", "", "web+demo:/.//p"},
		{"https://a:443/", "", "https://a/"},
		{"file://localhost/x", "", "file:///x"},
		{"http://a/%2e/%2E%2e/b", "", "http://a/b"},
		{"rtsp://user:pw@cam:554/stream1", "", "rtsp://user:pw@cam:554/stream1"},
	} {
		var base *weburl.URL
		if c.base != "" {
			b, err := weburl.Parse(c.base, nil)
			if err != nil {
				t.Fatal(err)
			}
			base = b
		}
		u, err := weburl.Parse(c.text, base)
		if err != nil || u.String() != c.want {
			t.Errorf("%q, base %q: got %v, %v, want %s", c.text, c.base, u, err, c.want)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, text := range []string{
		"nope", "", "http://", "http://a b/", "http://a:99999/", "http://[::1/", "http://1.2.3.4.5/", "http://256.1.1.1.1/",
		"http://a%00b/", "http://@/", "//a", "http://a:b/",
	} {
		if u, err := weburl.Parse(text, nil); !errors.Is(err, weburl.ErrInvalid) {
			t.Errorf("%q: got %v, %v", text, u, err)
		}
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ property, value, want string }{
		{"protocol", "https", "https://u:p@h:81/a/b?q#f"},
		{"protocol", "mailto", "http://u:p@h:81/a/b?q#f"},
		{"host", "x.y:82", "http://u:p@x.y:82/a/b?q#f"},
		{"hostname", "x", "http://u:p@x:81/a/b?q#f"},
		{"port", "80", "http://u:p@h/a/b?q#f"},
		{"port", "9x", "http://u:p@h:9/a/b?q#f"},
		{"port", "", "http://u:p@h/a/b?q#f"},
		{"pathname", "/c d?#", "http://u:p@h:81/c%20d%3F%23?q#f"},
		{"search", "x=ä", "http://u:p@h:81/a/b?x=%C3%A4#f"},
		{"search", "", "http://u:p@h:81/a/b#f"},
		{"hash", "#g", "http://u:p@h:81/a/b?q#g"},
		{"hash", "", "http://u:p@h:81/a/b?q"},
		{"username", "a:b", "http://a%3Ab:p@h:81/a/b?q#f"},
		{"href", "http://z", "http://z/"},
	} {
		u, err := weburl.Parse("http://u:p@h:81/a/b?q#f", nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err = u.Set(c.property, c.value)
		if err != nil || u.String() != c.want {
			t.Errorf("%s = %q: got %v, %v, want %s", c.property, c.value, u, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http://u:p@[::1]:80/a/../b?c#d", "file:///C:/x/y")
	f.Add("//x/./..//%2e", "foo://a/b?c")
	f.Fuzz(func(t *testing.T, text, base string) {
		b, err := weburl.Parse(base, nil)
		if err != nil {
			b = nil
		}
		u, err := weburl.Parse(text, b)
		if err != nil {
			return
		}
		again, err := weburl.Parse(u.String(), nil)
		if err != nil || again.String() != u.String() {
			t.Errorf("%q became %q, which becomes %v, %v", text, u, again, err)
		}
	})
}
