{#- The function that decodes HTML entities in a text; a macro, as each target has its own. -#}
{% macro decode_html() %}{{ bookkeeping_schema() }}.decode_html{% endmacro %}

{#- The condition that a text has a character that can be read: neither white space, nor a control, nor one that shows nothing. -#}
{% macro is_readable(text) -%}
    {{ text }} ~ '[^\u0001-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0]'
{%- endmacro %}

{#-
    Makes that function: entities by name (those of HTML 4, and &apos;) and by number become what they stand for, once, so that
    "&amp;lt;" is "&lt;"; what is none stays as it is. Text in composed Unicode, NULL where nothing can be read in it.
-#}
{% macro create_decode_html() %}
    {% if execute and flags.WHICH in ('run', 'build', 'test') %}
        create or replace function {{ decode_html() }}(sent text) returns text
        language sql immutable parallel safe
        as $function$
            select case when {{ is_readable('decoded') }} then normalize(decoded, nfc) end
            from (
                select string_agg(
                    part[1] || coalesce(
                        case
                            when part[3] <> '' then {{ html_entities() }} ->> part[3]
                            when code.point between 1 and 55295 or code.point between 57344 and 1114111 then {{ html_character('code.point') }}
                        end,
                        part[2]
                    ), '' order by place
                ) as decoded
                from regexp_matches(sent, '([^&]*)((?:&(?:([A-Za-z][A-Za-z0-9]*)|#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6}));)|&|$)', 'g')
                    with ordinality as match (part, place)
                cross join lateral (
                    select case
                        when part[4] <> '' then part[4]::integer
                        when part[5] <> '' then ('x' || lpad(part[5], 8, '0'))::bit(32)::integer
                    end as point
                ) as code
            ) as whole
        $function$;
    {% endif %}
{% endmacro %}

{#- The character of a number: from 128 to 159 that of Windows-1252, as in HTML, since nobody who writes &#146; means a control character. -#}
{% macro html_character(point) -%}
    translate(
        chr({{ point }}),
        U&'\0080\0082\0083\0084\0085\0086\0087\0088\0089\008A\008B\008C\008E\0091\0092\0093\0094\0095\0096\0097\0098\0099\009A\009B\009C\009E\009F',
        '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ'
    )
{%- endmacro %}

{#- jsonb: entity → character. -#}
{% macro html_entities() -%}
    '{
        "AElig":"Æ","Aacute":"Á","Acirc":"Â","Agrave":"À","Alpha":"Α","Aring":"Å","Atilde":"Ã","Auml":"Ä","Beta":"Β",
        "Ccedil":"Ç","Chi":"Χ","Dagger":"‡","Delta":"Δ","ETH":"Ð","Eacute":"É","Ecirc":"Ê","Egrave":"È","Epsilon":"Ε",
        "Eta":"Η","Euml":"Ë","Gamma":"Γ","Iacute":"Í","Icirc":"Î","Igrave":"Ì","Iota":"Ι","Iuml":"Ï","Kappa":"Κ",
        "Lambda":"Λ","Mu":"Μ","Ntilde":"Ñ","Nu":"Ν","OElig":"Œ","Oacute":"Ó","Ocirc":"Ô","Ograve":"Ò","Omega":"Ω",
        "Omicron":"Ο","Oslash":"Ø","Otilde":"Õ","Ouml":"Ö","Phi":"Φ","Pi":"Π","Prime":"″","Psi":"Ψ","Rho":"Ρ",
        "Scaron":"Š","Sigma":"Σ","THORN":"Þ","Tau":"Τ","Theta":"Θ","Uacute":"Ú","Ucirc":"Û","Ugrave":"Ù",
        "Upsilon":"Υ","Uuml":"Ü","Xi":"Ξ","Yacute":"Ý","Yuml":"Ÿ","Zeta":"Ζ","aacute":"á","acirc":"â","acute":"´",
        "aelig":"æ","agrave":"à","alefsym":"ℵ","alpha":"α","amp":"&","and":"∧","ang":"∠","apos":"\u0027","aring":"å",
        "asymp":"≈","atilde":"ã","auml":"ä","bdquo":"„","beta":"β","brvbar":"¦","bull":"•","cap":"∩","ccedil":"ç",
        "cedil":"¸","cent":"¢","chi":"χ","circ":"ˆ","clubs":"♣","cong":"≅","copy":"©","crarr":"↵","cup":"∪",
        "curren":"¤","dArr":"⇓","dagger":"†","darr":"↓","deg":"°","delta":"δ","diams":"♦","divide":"÷","eacute":"é",
        "ecirc":"ê","egrave":"è","empty":"∅","emsp":"\u2003","ensp":"\u2002","epsilon":"ε","equiv":"≡","eta":"η",
        "eth":"ð","euml":"ë","euro":"€","exist":"∃","fnof":"ƒ","forall":"∀","frac12":"½","frac14":"¼","frac34":"¾",
        "frasl":"⁄","gamma":"γ","ge":"≥","gt":">","hArr":"⇔","harr":"↔","hearts":"♥","hellip":"…","iacute":"í",
        "icirc":"î","iexcl":"¡","igrave":"ì","image":"ℑ","infin":"∞","int":"∫","iota":"ι","iquest":"¿","isin":"∈",
        "iuml":"ï","kappa":"κ","lArr":"⇐","lambda":"λ","lang":"\u2329","laquo":"«","larr":"←","lceil":"⌈","ldquo":"“",
        "le":"≤","lfloor":"⌊","lowast":"∗","loz":"◊","lrm":"\u200E","lsaquo":"‹","lsquo":"‘","lt":"<","macr":"¯",
        "mdash":"—","micro":"µ","middot":"·","minus":"−","mu":"μ","nabla":"∇","nbsp":"\u00A0","ndash":"–","ne":"≠",
        "ni":"∋","not":"¬","notin":"∉","nsub":"⊄","ntilde":"ñ","nu":"ν","oacute":"ó","ocirc":"ô","oelig":"œ",
        "ograve":"ò","oline":"‾","omega":"ω","omicron":"ο","oplus":"⊕","or":"∨","ordf":"ª","ordm":"º","oslash":"ø",
        "otilde":"õ","otimes":"⊗","ouml":"ö","para":"¶","part":"∂","permil":"‰","perp":"⊥","phi":"φ","pi":"π",
        "piv":"ϖ","plusmn":"±","pound":"£","prime":"′","prod":"∏","prop":"∝","psi":"ψ","quot":"\u0022","rArr":"⇒",
        "radic":"√","rang":"\u232A","raquo":"»","rarr":"→","rceil":"⌉","rdquo":"”","real":"ℜ","reg":"®","rfloor":"⌋",
        "rho":"ρ","rlm":"\u200F","rsaquo":"›","rsquo":"’","sbquo":"‚","scaron":"š","sdot":"⋅","sect":"§",
        "shy":"\u00AD","sigma":"σ","sigmaf":"ς","sim":"∼","spades":"♠","sub":"⊂","sube":"⊆","sum":"∑","sup":"⊃",
        "sup1":"¹","sup2":"²","sup3":"³","supe":"⊇","szlig":"ß","tau":"τ","there4":"∴","theta":"θ","thetasym":"ϑ",
        "thinsp":"\u2009","thorn":"þ","tilde":"˜","times":"×","trade":"™","uArr":"⇑","uacute":"ú","uarr":"↑",
        "ucirc":"û","ugrave":"ù","uml":"¨","upsih":"ϒ","upsilon":"υ","uuml":"ü","weierp":"℘","xi":"ξ","yacute":"ý",
        "yen":"¥","yuml":"ÿ","zeta":"ζ","zwj":"\u200D","zwnj":"\u200C"
    }'::jsonb
{%- endmacro %}
