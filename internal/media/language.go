package media

import "strings"

// alpha2 are the languages that have a code of two letters, behind their codes
// of three (ISO 639-2; where it has two of those, both stand there).
const alpha2 = "aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm " +
	"baq:eu bel:be ben:bn bih:bh bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs cha:ch che:ce chi:zh chu:cu chv:cv " +
	"cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo " +
	"fas:fa fij:fj fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn guj:gu hat:ht " +
	"hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik " +
	"isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky kom:kv kon:kg kor:ko " +
	"kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg mac:mk mah:mh mal:ml mao:mi mar:mr may:ms " +
	"mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no " +
	"nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa per:fa pli:pi pol:pl por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn " +
	"rus:ru sag:sg san:sa sin:si slk:sk slo:sk slv:sl sme:se smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr " +
	"ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk " +
	"tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu"

// LanguageTag makes a BCP 47 tag of what a file or a sender calls a language,
// which mostly is a code of three letters where BCP 47 wants the one of two
// (RFC 5646 §2.2.1). What says nothing, or is no tag, is empty.
func LanguageTag(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
	primary, rest, _ := strings.Cut(s, "-")
	primary = strings.ToLower(primary)
	switch primary {
	case "", "und", "mis", "mul", "zxx", "qaa":
		return ""
	}
	if !ValidLanguage(s) {
		return ""
	}
	if i := strings.Index(alpha2, primary+":"); len(primary) == 3 && i >= 0 {
		primary = alpha2[i+4 : i+6]
	}
	if rest == "" {
		return primary
	}
	return primary + "-" + rest
}

// ValidLanguage reports whether s has the form of a BCP 47 tag.
func ValidLanguage(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if len(part) > 8 || len(part) < 1 || i == 0 && (len(part) < 2 || strings.Trim(part, letters) != "") || strings.Trim(part, letters+"0123456789") != "" {
			return false
		}
	}
	return len(s) <= 35
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
