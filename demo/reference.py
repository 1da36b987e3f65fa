"""TMDB's lookup lists: genres, countries, languages, with TMDB's ids, codes and spellings.

Facts of /genre/movie/list (19 rows), /configuration/countries (251) and /configuration/languages (187), as
TMDB answers them since 2025, kept here in a compact form and unpacked on import. They hold what a loader
stumbles over: states that are no more (AN, BU, SU, XC, YU, ZR), codes outside ISO 639-1 (cn, mo, sh, xx),
languages without a name of their own (name ""), names broken at TMDB (kn, ky).
"""

from typing import Final, TypedDict


class Genre(TypedDict):
    """One row of /genre/movie/list."""

    id: int
    name: str


class Country(TypedDict):
    """One row of /configuration/countries."""

    iso_3166_1: str
    english_name: str
    native_name: str


class Language(TypedDict):
    """One row of /configuration/languages."""

    iso_639_1: str
    english_name: str
    name: str


GENRES: Final[list[Genre]] = [
    {"id": 28, "name": "Action"},
    {"id": 12, "name": "Adventure"},
    {"id": 16, "name": "Animation"},
    {"id": 35, "name": "Comedy"},
    {"id": 80, "name": "Crime"},
    {"id": 99, "name": "Documentary"},
    {"id": 18, "name": "Drama"},
    {"id": 10751, "name": "Family"},
    {"id": 14, "name": "Fantasy"},
    {"id": 36, "name": "History"},
    {"id": 27, "name": "Horror"},
    {"id": 10402, "name": "Music"},
    {"id": 9648, "name": "Mystery"},
    {"id": 10749, "name": "Romance"},
    {"id": 878, "name": "Science Fiction"},
    {"id": 10770, "name": "TV Movie"},
    {"id": 53, "name": "Thriller"},
    {"id": 10752, "name": "War"},
    {"id": 37, "name": "Western"},
]

#: Dropped from the list between 2017 and 2018; films still carry it.
DROPPED_GENRE: Final[Genre] = {"id": 10769, "name": "Foreign"}

# code English name[|native name where it differs]
_COUNTRIES: Final = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda|Antigua & Barbuda; AI Anguilla;
AL Albania; AM Armenia; AN Netherlands Antilles; AO Angola; AQ Antarctica; AR Argentina; AS American Samoa;
AT Austria; AU Australia; AW Aruba; AZ Azerbaijan; BA Bosnia and Herzegovina|Bosnia & Herzegovina;
BB Barbados; BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin;
BM Bermuda; BN Brunei Darussalam|Brunei; BO Bolivia; BR Brazil; BS Bahamas; BT Bhutan; BU Burma;
BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC Cocos  Islands|Cocos (Keeling) Islands;
CD Congo|Democratic Republic of the Congo (Kinshasa); CF Central African Republic;
CG Congo|Republic of the Congo (Brazzaville); CH Switzerland; CI Cote D'Ivoire|Côte d’Ivoire;
CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; CS Serbia and Montenegro;
CU Cuba; CV Cape Verde; CX Christmas Island; CY Cyprus; CZ Czech Republic; DE Germany; DJ Djibouti;
DK Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia; EG Egypt;
EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji; FK Falkland Islands;
FM Micronesia; FO Faeroe Islands|Faroe Islands; FR France; GA Gabon; GB United Kingdom; GD Grenada;
GE Georgia; GF French Guiana; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia; GN Guinea;
GP Guadaloupe|Guadeloupe; GQ Equatorial Guinea; GR Greece;
GS South Georgia and the South Sandwich Islands|South Georgia & South Sandwich Islands; GT Guatemala;
GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong Kong|Hong Kong SAR China;
HM Heard and McDonald Islands|Heard & McDonald Islands; HN Honduras; HR Croatia; HT Haiti; HU Hungary;
ID Indonesia; IE Ireland; IL Israel; IN India; IO British Indian Ocean Territory; IQ Iraq; IR Iran;
IS Iceland; IT Italy; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyz Republic|Kyrgyzstan;
KH Cambodia; KI Kiribati; KM Comoros; KN St. Kitts and Nevis|St. Kitts & Nevis; KP North Korea;
KR South Korea; KW Kuwait; KY Cayman Islands; KZ Kazakhstan; LA Lao People's Democratic Republic|Laos;
LB Lebanon; LC St. Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho; LT Lithuania;
LU Luxembourg; LV Latvia; LY Libyan Arab Jamahiriya|Libya; MA Morocco; MC Monaco; MD Moldova;
ME Montenegro; MG Madagascar; MH Marshall Islands; MK Macedonia; ML Mali; MM Myanmar|Myanmar (Burma);
MN Mongolia; MO Macao|Macau SAR China; MP Northern Mariana Islands; MQ Martinique; MR Mauritania;
MS Montserrat; MT Malta; MU Mauritius; MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique;
NA Namibia; NC New Caledonia; NE Niger; NF Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands;
NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM Oman; PA Panama; PE Peru; PF French Polynesia;
PG Papua New Guinea; PH Philippines; PK Pakistan; PL Poland;
PM St. Pierre and Miquelon|St. Pierre & Miquelon; PN Pitcairn Island|Pitcairn Islands; PR Puerto Rico;
PS Palestinian Territory|Palestinian Territories; PT Portugal; PW Palau; PY Paraguay; QA Qatar;
RE Reunion|Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia; SB Solomon Islands;
SC Seychelles; SD Sudan; SE Sweden; SG Singapore; SH St. Helena; SI Slovenia;
SJ Svalbard & Jan Mayen Islands|Svalbard & Jan Mayen; SK Slovakia; SL Sierra Leone; SM San Marino;
SN Senegal; SO Somalia; SR Suriname; SS South Sudan; ST Sao Tome and Principe|São Tomé & Príncipe;
SU Soviet Union; SV El Salvador; SY Syrian Arab Republic|Syria; SZ Swaziland|Eswatini (Swaziland);
TC Turks and Caicos Islands|Turks & Caicos Islands; TD Chad; TF French Southern Territories; TG Togo;
TH Thailand; TJ Tajikistan; TK Tokelau; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga;
TP East Timor; TR Turkey; TT Trinidad and Tobago|Trinidad & Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania;
UA Ukraine; UG Uganda; UM United States Minor Outlying Islands|U.S. Outlying Islands;
US United States of America|United States; UY Uruguay; UZ Uzbekistan; VA Holy See|Vatican City;
VC St. Vincent and the Grenadines|St. Vincent & Grenadines; VE Venezuela; VG British Virgin Islands;
VI US Virgin Islands|U.S. Virgin Islands; VN Vietnam; VU Vanuatu;
WF Wallis and Futuna Islands|Wallis & Futuna; WS Samoa; XC Czechoslovakia; XG East Germany;
XI Northern Ireland; XK Kosovo; YE Yemen; YT Mayotte; YU Yugoslavia; ZA South Africa; ZM Zambia; ZR Zaire;
ZW Zimbabwe;
"""

# code English name[|own name where there is one]
_LANGUAGES: Final = """
aa Afar; ab Abkhazian; ae Avestan; af Afrikaans|Afrikaans; ak Akan; am Amharic; an Aragonese;
ar Arabic|العربية; as Assamese; av Avaric; ay Aymara; az Azerbaijani|Azərbaycan; ba Bashkir;
be Belarusian|беларуская мова; bg Bulgarian|български език; bi Bislama; bm Bambara|Bamanankan;
bn Bengali|বাংলা; bo Tibetan; br Breton; bs Bosnian|Bosanski; ca Catalan|Català; ce Chechen;
ch Chamorro|Finu' Chamorro; cn Cantonese|广州话 / 廣州話; co Corsican; cr Cree; cs Czech|Český; cu Slavic;
cv Chuvash; cy Welsh|Cymraeg; da Danish|Dansk; de German|Deutsch; dv Divehi; dz Dzongkha; ee Ewe|Èʋegbe;
el Greek|ελληνικά; en English|English; eo Esperanto|Esperanto; es Spanish|Español; et Estonian|Eesti;
eu Basque|euskera; fa Persian|فارسی; ff Fulah|Fulfulde; fi Finnish|suomi; fj Fijian; fo Faroese;
fr French|Français; fy Frisian; ga Irish|Gaeilge; gd Gaelic; gl Galician|Galego; gn Guarani; gu Gujarati;
gv Manx; ha Hausa|Hausa; he Hebrew|עִבְרִית; hi Hindi|हिन्दी; ho Hiri Motu; hr Croatian|Hrvatski;
ht Haitian ;Haitian Creole; hu Hungarian|Magyar; hy Armenian; hz Herero; ia Interlingua;
id Indonesian|Bahasa indonesia; ie Interlingue; ig Igbo; ii Yi; ik Inupiaq; io Ido; is Icelandic|Íslenska;
it Italian|Italiano; iu Inuktitut; ja Japanese|日本語; jv Javanese; ka Georgian|ქართული; kg Kongo; ki Kikuyu;
kj Kuanyama; kk Kazakh|қазақ; kl Kalaallisut; km Khmer; kn Kannada|?????; ko Korean|한국어/조선말; kr Kanuri;
ks Kashmiri; ku Kurdish; kv Komi; kw Cornish; ky Kirghiz|??????; la Latin|Latin; lb Letzeburgesch;
lg Ganda; li Limburgish; ln Lingala; lo Lao; lt Lithuanian|Lietuvių; lu Luba-Katanga; lv Latvian|Latviešu;
mg Malagasy; mh Marshall; mi Maori; mk Macedonian; ml Malayalam; mn Mongolian; mo Moldavian; mr Marathi;
ms Malay|Bahasa melayu; mt Maltese|Malti; my Burmese; na Nauru; nb Norwegian Bokmål|Bokmål; nd Ndebele;
ne Nepali; ng Ndonga; nl Dutch|Nederlands; nn Norwegian Nynorsk; no Norwegian|Norsk; nr Ndebele; nv Navajo;
ny Chichewa ;Nyanja; oc Occitan; oj Ojibwa; om Oromo; or Oriya; os Ossetian ;Ossetic; pa Punjabi|ਪੰਜਾਬੀ;
pi Pali; pl Polish|Polski; ps Pushto|پښتو; pt Portuguese|Português; qu Quechua; rm Raeto-Romance;
rn Rundi|Kirundi; ro Romanian|Română; ru Russian|Pусский; rw Kinyarwanda|Kinyarwanda; sa Sanskrit;
sc Sardinian; sd Sindhi; se Northern Sami; sg Sango; sh Serbo-Croatian; si Sinhalese|සිංහල;
sk Slovak|Slovenčina; sl Slovenian|Slovenščina; sm Samoan; sn Shona; so Somali|Somali; sq Albanian|shqip;
sr Serbian|Srpski; ss Swati; st Sotho; su Sundanese; sv Swedish|svenska; sw Swahili|Kiswahili;
ta Tamil|தமிழ்; te Telugu|తెలుగు; tg Tajik; th Thai|ภาษาไทย; ti Tigrinya; tk Turkmen; tl Tagalog;
tn Tswana; to Tonga; tr Turkish|Türkçe; ts Tsonga; tt Tatar; tw Twi; ty Tahitian; ug Uighur;
uk Ukrainian|Український; ur Urdu|اردو; uz Uzbek|ozbek; ve Venda; vi Vietnamese|Tiếng Việt; vo Volapük;
wa Walloon; wo Wolof|Wolof; xh Xhosa; xx No Language|No Language; yi Yiddish; yo Yoruba|Èdè Yorùbá;
za Zhuang; zh Mandarin|普通话; zu Zulu|isiZulu;
"""


def _rows(packed: str) -> list[tuple[str, str, str | None]]:
    rows = []
    for item in packed.replace("\n", " ").strip().strip(";").split("; "):
        code, names = item.split(" ", 1)
        first, bar, second = names.partition("|")
        rows.append((code, first, second if bar else None))
    return rows


COUNTRIES: Final[list[Country]] = [
    {"iso_3166_1": code, "english_name": name, "native_name": name if native is None else native}
    for code, name, native in _rows(_COUNTRIES)
]
LANGUAGES: Final[list[Language]] = [
    {"iso_639_1": code, "english_name": name.replace(" ;", "; "), "name": own or ""}
    for code, name, own in _rows(_LANGUAGES)
]

GENRE_NAMES: Final[dict[int, str]] = {genre["id"]: genre["name"] for genre in GENRES}
COUNTRY_NAMES: Final[dict[str, str]] = {row["iso_3166_1"]: row["english_name"] for row in COUNTRIES}
LANGUAGE_ROWS: Final[dict[str, Language]] = {row["iso_639_1"]: row for row in LANGUAGES}
