package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	_ "embed"

	"github.com/millrace/millrace/internal/status"
)

//go:embed docs.html
var docsHTML string

var reflectEvent = reflect.TypeFor[status.Event]()

// docs are the API's description, for programs and for people. They are the
// same on every server and therefore open to everybody.
type docs struct {
	spec []byte
	page []byte
}

func (s *Server) openAPI(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "max-age=60")
	return c.Blob(http.StatusOK, "application/json", s.docs.spec)
}

func (s *Server) showDocs(c echo.Context) error {
	pageHeaders(c.Response().Header(), "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	return c.HTMLBlob(http.StatusOK, s.docs.page)
}

// docOperation and docSchema are what the template prints.
type docOperation struct {
	Method, Path, Summary, Description string
	Params                             []docField
	Answers                            []docAnswer
}

type docAnswer struct{ Code, Description, Type string }

type docSchema struct {
	Name   string
	Fields []docField
}

type docField struct {
	Name, In, Type, Doc string
	Required            bool
}

// renderDocs prints the description as one page without any script.
func renderDocs(spec *huma.OpenAPI) ([]byte, error) {
	page := struct {
		Title, Description string
		Operations         []docOperation
		Schemas            []docSchema
	}{Title: spec.Info.Title, Description: spec.Info.Description}
	for path, item := range spec.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op != nil {
				page.Operations = append(page.Operations, docOf(apiPrefix+path, op))
			}
		}
	}
	slices.SortFunc(page.Operations, func(a, b docOperation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	for name, schema := range spec.Components.Schemas.Map() {
		page.Schemas = append(page.Schemas, docSchema{name, fieldsOf(schema)})
	}
	slices.SortFunc(page.Schemas, func(a, b docSchema) int { return strings.Compare(a.Name, b.Name) })
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("parse docs.html: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("render docs.html: %w", err)
	}
	return out.Bytes(), nil
}

func docOf(path string, op *huma.Operation) docOperation {
	d := docOperation{Method: op.Method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		d.Params = append(d.Params, docField{p.Name, p.In, typeOf(p.Schema), orElse(p.Description, describe(p.Schema)), p.Required})
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			d.Params = append(d.Params, docField{"body", "JSON", typeOf(media.Schema), "", op.RequestBody.Required})
		}
	}
	for code, response := range op.Responses {
		a := docAnswer{Code: code, Description: response.Description}
		for _, media := range response.Content {
			a.Type = typeOf(media.Schema)
		}
		d.Answers = append(d.Answers, a)
	}
	slices.SortFunc(d.Answers, func(a, b docAnswer) int { return strings.Compare(a.Code, b.Code) })
	return d
}

func fieldsOf(schema *huma.Schema) []docField {
	var fields []docField
	for name, p := range schema.Properties {
		fields = append(fields, docField{name, "", typeOf(p), describe(p), slices.Contains(schema.Required, name)})
	}
	slices.SortFunc(fields, func(a, b docField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

func describe(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	return s.Description
}

// typeOf says a schema in a word: "Stream", "[Track]", "live | lost", "number".
func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return "[" + typeOf(s.Items) + "]"
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, " | ")
	case s.Format == "date-time":
		return "time"
	}
	return s.Type
}
