package sockets

import (
	"context"
	"net"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/native"
)

// lookup(name, family, callback): an array of address, family, address,
// family, … in the system's order.
func lookup(a native.Args) (any, error) {
	name, family := a.String(0), a.Int(1)
	a.Later(2, func(ctx context.Context) (any, error) {
		network := map[int64]string{4: "ip4", 6: "ip6"}[family]
		if network == "" {
			network = "ip"
		}
		all, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
		if err != nil {
			return nil, Failed(err, "getaddrinfo", name, -1)
		}
		flat := make([]any, 0, 2*len(all))
		for _, ip := range all {
			ip = ip.Unmap()
			kind := 6
			if ip.Is4() {
				kind = 4
			}
			flat = append(flat, ip.String(), kind)
		}
		return flat, nil
	})
	return nil, nil
}

// resolve(name, type, callback)
func resolve(a native.Args) (any, error) {
	name, kind := a.String(0), a.String(1)
	a.Later(2, func(ctx context.Context) (any, error) {
		v, err := records(ctx, name, kind)
		return v, Failed(err, "query"+kind, name, -1)
	})
	return nil, nil
}

func records(ctx context.Context, name, kind string) (any, error) {
	r := net.DefaultResolver
	var out []any
	switch kind {
	case "A", "AAAA":
		all, err := r.LookupNetIP(ctx, map[string]string{"A": "ip4", "AAAA": "ip6"}[kind], name)
		for _, ip := range all {
			out = append(out, ip.Unmap().String())
		}
		return out, err
	case "TXT":
		all, err := r.LookupTXT(ctx, name)
		for _, t := range all {
			out = append(out, []string{t})
		}
		return out, err
	case "CNAME":
		cname, err := r.LookupCNAME(ctx, name)
		return []string{strings.TrimSuffix(cname, ".")}, err
	case "NS":
		all, err := r.LookupNS(ctx, name)
		for _, ns := range all {
			out = append(out, strings.TrimSuffix(ns.Host, "."))
		}
		return out, err
	case "MX":
		all, err := r.LookupMX(ctx, name)
		for _, mx := range all {
			out = append(out, object("exchange", strings.TrimSuffix(mx.Host, "."), "priority", int(mx.Pref)))
		}
		return out, err
	case "SRV":
		_, all, err := r.LookupSRV(ctx, "", "", name)
		for _, s := range all {
			out = append(out, object("name", strings.TrimSuffix(s.Target, "."), "port", int(s.Port),
				"priority", int(s.Priority), "weight", int(s.Weight)))
		}
		return out, err
	}
	return nil, &net.DNSError{Err: "no such type of record: " + kind, Name: name}
}

func object(pairs ...any) func(*goja.Runtime) goja.Value {
	return func(rt *goja.Runtime) goja.Value {
		o := rt.NewObject()
		for i := 0; i < len(pairs); i += 2 {
			name, _ := pairs[i].(string)
			_ = o.Set(name, pairs[i+1])
		}
		return o
	}
}

// reverse(address, callback)
func reverse(a native.Args) (any, error) {
	address := a.String(0)
	a.Later(1, func(ctx context.Context) (any, error) {
		all, err := net.DefaultResolver.LookupAddr(ctx, address)
		for i, name := range all {
			all[i] = strings.TrimSuffix(name, ".")
		}
		return all, Failed(err, "getHostByAddr", address, -1)
	})
	return nil, nil
}
