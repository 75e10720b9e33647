package access

import "testing"

func TestDecide(t *testing.T) {
	rules := Rules{
		{Path: "live/*", Key: "one"},
		{Path: "live/vip", Key: "two"},
		{Path: "empty", Key: ""},
	}
	for _, c := range []struct {
		path, key string
		want      Decision
	}{
		{"live/a", "one", Allowed},
		{"live/a", "two", WrongKey}, // a key of another rule
		{"live/vip", "one", Allowed},
		{"live/vip", "two", Allowed},
		{"live/a", "", NeedKey},
		{"live/a", "One", WrongKey},
		{"live/a", "one ", WrongKey},
		{"live/a", "one\x00", WrongKey},
		{"live", "one", Closed},
		{"other", "one", Closed},
		{"other", "", Closed},
		{"empty", "", NeedKey}, // an empty key in the config opens nothing
		{"empty", "x", WrongKey},
	} {
		if got := rules.Decide(c.path, Is(c.key)); got != c.want {
			t.Errorf("Decide(%q, %q) = %v, want %v", c.path, c.key, got, c.want)
		}
	}
	if got := Rules(nil).Decide("a", Is("x")); got != Closed {
		t.Errorf("no rules: %v", got)
	}
	if !rules.Cover("live/a") || rules.Cover("other") {
		t.Error("Cover")
	}
}

// A wire digest is checked against every candidate, never against an empty
// key, whatever the checker says.
func TestDecideAsksForEachCandidate(t *testing.T) {
	rules := Rules{{"a", "k1"}, {"a", ""}, {"b", "k2"}, {"*", "k3"}}
	var asked []string
	rules.Decide("a", func(key string) bool { asked = append(asked, key); return false })
	if len(asked) != 2 || asked[0] != "k1" || asked[1] != "k3" {
		t.Fatalf("asked for %q", asked)
	}
	if d := (Rules{{"a", ""}}).Decide("a", func(string) bool { return true }); d != WrongKey {
		t.Fatalf("an empty key let somebody in: %v", d)
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"x", "x", true}, {"x", "y", false}, {"", "", false}, {"x", "", false}, {"", "x", false}, {"x", "xx", false}} {
		if got := Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%q, %q) = %v", c.a, c.b, got)
		}
	}
}
