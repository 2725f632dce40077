# SPDX-License-Identifier: Apache-2.0
"""How a page looks: one style sheet, in the page itself."""

from __future__ import annotations

from neuro_control.reports.palette import css_variables

STYLE = (
    f":root{{color-scheme:light dark;{css_variables(dark=False)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{css_variables(dark=True)}}}}}"
    # Paper is white whatever the screen is; the second time, so that it wins over the dark.
    f"@media print{{:root{{{css_variables(dark=False)}}}}}"
    """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.5rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
header p,footer p{color:var(--faint);margin:0}
h2{font-size:1.15rem;margin:2.25rem 0 .75rem;padding-bottom:.25rem;
border-bottom:1px solid var(--line)}
p{max-width:46rem;margin:.5rem 0}
footer{padding-top:2rem;padding-bottom:2rem;font-size:.85rem}
.notices{background:var(--warnpaper);color:var(--warn);border-left:4px solid currentColor;
padding:.5rem 1rem;margin:1rem 0;border-radius:0 .25rem .25rem 0}
.notices ul{margin:0;padding-left:1.1rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;
margin:1rem 0}
.cards div{background:var(--panel);border-radius:.4rem;padding:.6rem .8rem}
.cards dt{color:var(--faint);font-size:.85rem}
.cards dd{margin:0}
.cards b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}
.cards small{color:var(--faint)}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));
gap:1rem 1.5rem;align-items:start}
figure{margin:.75rem 0;min-width:0}
figure svg,figure img,figure video{display:block;width:100%;height:auto;border-radius:.3rem}
figure svg text{font-family:inherit!important}
@media screen and (prefers-color-scheme:dark){figure svg image{filter:brightness(1.35)}}
img.crisp{image-rendering:pixelated}
figcaption{color:var(--faint);font-size:.875rem;margin-top:.35rem}
.scroll{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;
min-width:min(100%,24rem)}
caption{text-align:left;color:var(--faint);padding-bottom:.35rem}
th,td{text-align:left;vertical-align:top;padding:.28rem .9rem .28rem 0;
border-bottom:1px solid var(--line)}
thead th{color:var(--faint);font-weight:600;border-bottom-width:2px}
tbody th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
pre{background:var(--panel);padding:.7rem .9rem;border-radius:.3rem;
white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;margin:.5rem 0}
code{font-family:ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace}
a{color:var(--link)}
@media (max-width:40rem){
.prose,.prose caption,.prose tbody,.prose tr,.prose th,.prose td{display:block;border:0}
.prose tr{border-bottom:1px solid var(--line);padding:.4rem 0}
.prose thead{display:none}
.prose td,.prose th{padding:.1rem 0;text-align:left;white-space:normal}
.prose td::before{content:attr(data-label) ": ";color:var(--faint)}
}
@media print{
body{font-size:10pt}
main,footer{max-width:none;padding:0}
.side{grid-template-columns:1fr 1fr}
figure,.cards,tr,.notices{break-inside:avoid}
h2{break-after:avoid}
.scroll{overflow:visible}
video{display:none!important}
body *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
)
