package pattern

import (
	"fmt"
	"strings"
	"unicode"
)

// property is the characters that \p{text} means.
func property(text string) (set, error) {
	name, value, given := strings.Cut(text, "=")
	var found set
	var ok bool
	switch {
	case !given:
		found, ok = named(name)
	case name == "General_Category" || name == "gc":
		found, ok = category(value)
	case name == "Script" || name == "sc" || name == "Script_Extensions" || name == "scx":
		found, ok = script(value)
	}
	if !ok {
		return nil, fmt.Errorf("invalid property name \\p{%s}", text)
	}
	return found, nil
}

func named(name string) (set, bool) {
	if s, ok := category(name); ok {
		return s, true
	}
	if spans, ok := pictures[name]; ok {
		return setOf(spans), true
	}
	letters := []*unicode.RangeTable{unicode.L, unicode.Nl, unicode.Other_ID_Start}
	pattern := ofTables(unicode.Pattern_Syntax, unicode.Pattern_White_Space)
	switch name {
	case "Any":
		return set{{0, unicode.MaxRune}}, true
	case "ASCII":
		return set{{0, 0x7f}}, true
	case "Assigned":
		return assigned(), true
	case "Alphabetic", "Alpha":
		return ofTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	case "Lowercase", "Lower":
		return ofTables(unicode.Ll, unicode.Other_Lowercase), true
	case "Uppercase", "Upper":
		return ofTables(unicode.Lu, unicode.Other_Uppercase), true
	case "Math":
		return ofTables(unicode.Sm, unicode.Other_Math), true
	case "ID_Start", "IDS", "XID_Start", "XIDS":
		return ofTables(letters...).minus(pattern), true
	case "ID_Continue", "IDC", "XID_Continue", "XIDC":
		return ofTables(append(letters, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue)...).minus(pattern), true
	case "space":
		name = "White_Space"
	}
	if t, ok := unicode.Properties[name]; ok {
		return ofTables(t), true
	}
	return nil, false
}

func assigned() set {
	var all []*unicode.RangeTable
	for name, t := range unicode.Categories {
		if len(name) == 1 && name != "C" {
			all = append(all, t)
		}
	}
	return ofTables(append(all, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)...)
}

func category(name string) (set, bool) {
	if short, ok := categories[name]; ok {
		name = short
	}
	switch name {
	case "LC":
		return ofTables(unicode.Lu, unicode.Ll, unicode.Lt), true
	case "Cn":
		return assigned().not(), true
	case "C":
		return ofTables(unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs).or(assigned().not()), true
	}
	if t, ok := unicode.Categories[name]; ok {
		return ofTables(t), true
	}
	return nil, false
}

func script(name string) (set, bool) {
	if long, ok := scripts[name]; ok {
		name = long
	}
	if t, ok := unicode.Scripts[name]; ok {
		return ofTables(t), true
	}
	return nil, false
}

// categories are the long names of the general categories.
var categories = map[string]string{
	"Letter": "L", "Cased_Letter": "LC", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
	"Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M", "Nonspacing_Mark": "Mn",
	"Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd",
	"Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
	"Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi",
	"Final_Punctuation": "Pf", "Other_Punctuation": "Po", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc",
	"Modifier_Symbol": "Sk", "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl",
	"Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs",
	"Private_Use": "Co", "Unassigned": "Cn",
}

// scripts are the short names of those scripts that people write.
var scripts = map[string]string{
	"Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Bopo": "Bopomofo", "Brai": "Braille", "Cher": "Cherokee",
	"Copt": "Coptic", "Qaac": "Coptic", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian",
	"Goth": "Gothic", "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hang": "Hangul", "Hani": "Han",
	"Hebr": "Hebrew", "Hira": "Hiragana", "Kana": "Katakana", "Khmr": "Khmer", "Knda": "Kannada", "Laoo": "Lao",
	"Latn": "Latin", "Mlym": "Malayalam", "Mong": "Mongolian", "Mymr": "Myanmar", "Orya": "Oriya", "Runr": "Runic",
	"Sinh": "Sinhala", "Syrc": "Syriac", "Taml": "Tamil", "Telu": "Telugu", "Thaa": "Thaana", "Thai": "Thai",
	"Tibt": "Tibetan", "Zinh": "Inherited", "Qaai": "Inherited", "Zyyy": "Common",
}
