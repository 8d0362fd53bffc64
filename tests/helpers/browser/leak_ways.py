"""Ways by which a script in a page could carry something out, each as the body of a function of an address.

`to` is the address, `http` and of this machine; `box` an element of the page; `inWorker(code)` runs a program in a worker
of the page's own. None waits for an answer: whether the address was asked, the server knows.
"""
# ruff: noqa: E501 - each way is one line

IN_PLACE = {
    "fetch": "fetch(to, { mode: 'no-cors' })",
    "XMLHttpRequest": "const x = new XMLHttpRequest(); x.open('GET', to); x.send()",
    "sendBeacon": "navigator.sendBeacon(to, 'x')",
    "WebSocket": "new WebSocket(to.replace('http', 'ws'))",
    "EventSource": "new EventSource(to)",
    "WebTransport": "new WebTransport(to.replace('http:', 'https:'))",
    "image": "new Image().src = to",
    "image by srcset": "box.append(Object.assign(new Image(), { srcset: `${to} 1x` }))",
    "image in a picture": "box.innerHTML += `<picture><source srcset='${to}'><img></picture>`",
    "image of a button": "box.innerHTML += `<input type='image' src='${to}'>`",
    "image of SVG": "box.innerHTML += `<svg><image href='${to}' width='9' height='9'/></svg>`",
    "image of a filter": "box.innerHTML += `<svg><filter id='f'><feImage href='${to}'/></filter><rect filter='url(#f)' width='9' height='9'/></svg>`",
    "use of SVG": "box.innerHTML += `<svg><use href='${to}#a'/></svg>`",
    "script of SVG": "const s = document.createElementNS('http://www.w3.org/2000/svg', 'script'); s.setAttribute('href', to); const v = document.createElementNS('http://www.w3.org/2000/svg', 'svg'); v.append(s); box.append(v)",
    "style of an element": "box.style.backgroundImage = `url(${to})`",
    "cursor": "box.style.cursor = `url(${to}), auto`",
    "list image": "box.innerHTML += '<ul><li>a</ul>'; box.lastChild.style.listStyleImage = `url(${to})`",
    "border image": "box.style.borderImage = `url(${to}) 1`; box.style.border = '1px solid'",
    "mask": "box.style.maskImage = `url(${to})`; box.style.webkitMaskImage = `url(${to})`",
    "filter by address": "box.style.filter = `url(${to}#f)`",
    "clip path by address": "box.style.clipPath = `url(${to}#f)`",
    "style element": "box.append(Object.assign(document.createElement('style'), { textContent: `@import '${to}';` }))",
    "constructed style sheet": "const s = new CSSStyleSheet(); s.replaceSync(`#box::after { content: url(${to}); }`); document.adoptedStyleSheets = [...document.adoptedStyleSheets, s]",
    "font of a constructed sheet": "const s = new CSSStyleSheet(); s.replaceSync(`@font-face { font-family: leak; src: url(${to}); }`); document.adoptedStyleSheets = [...document.adoptedStyleSheets, s]; box.style.fontFamily = 'leak'; box.append('a')",
    "FontFace": "new FontFace('leak', `url(${to})`).load()",
    "rule in the page's own style": "document.styleSheets[0].insertRule(`#box { list-style: url(${to}); display: list-item; }`)",
    "style sheet": "link('stylesheet')",
    "icon": "link('icon')",
    "preload of an image": "link('preload', 'image')",
    "preload of a script": "link('preload', 'script')",
    "preload of a font": "link('preload', 'font')",
    "preload for fetch": "link('preload', 'fetch')",
    "preload of a style": "link('preload', 'style')",
    "preload of a video": "link('preload', 'video')",
    "modulepreload": "link('modulepreload')",
    "prefetch": "link('prefetch')",
    "prerender": "link('prerender')",
    "speculation rules": "box.append(Object.assign(document.createElement('script'), { type: 'speculationrules', textContent: JSON.stringify({ prefetch: [{ source: 'list', urls: [to] }] }) }))",
    "description for installing": "link('manifest')",
    "search description": "link('search')",
    "import of HTML": "link('import')",
    "script": "box.append(Object.assign(document.createElement('script'), { src: to }))",
    "module": "box.append(Object.assign(document.createElement('script'), { src: to, type: 'module' }))",
    "import()": "import(to)",
    "import map": "box.append(Object.assign(document.createElement('script'), { type: 'importmap', textContent: JSON.stringify({ imports: { leak: to } }) })); import('leak')",
    "document.write": "box.ownerDocument.implementation && box.insertAdjacentHTML('beforeend', `<script src='${to}'><\\/script>`)",
    "worker": "new Worker(to)",
    "module worker": "new Worker(to, { type: 'module' })",
    "shared worker": "new SharedWorker(to)",
    "service worker": "navigator.serviceWorker.register(to)",
    "worklet of sound": "new OfflineAudioContext(1, 1, 44100).audioWorklet.addModule(to)",
    "worklet of painting": "CSS.paintWorklet.addModule(to)",
    "fetch in a worker": "inWorker(`fetch('${to}', { mode: 'no-cors' })`)",
    "XMLHttpRequest in a worker": "inWorker(`const x = new XMLHttpRequest(); x.open('GET', '${to}'); x.send()`)",
    "WebSocket in a worker": "inWorker(`new WebSocket('${to.replace('http', 'ws')}')`)",
    "EventSource in a worker": "inWorker(`new EventSource('${to}')`)",
    "importScripts in a worker": "inWorker(`importScripts('${to}')`)",
    "import() in a worker": "inWorker(`import('${to}')`)",
    "worker in a worker": "inWorker(`new Worker('${to}')`)",
    "font in a worker": "inWorker(`new FontFace('leak', 'url(${to})').load()`)",
    "sound": "new Audio(to).load()",
    "video": "box.append(Object.assign(document.createElement('video'), { src: to, preload: 'auto' }))",
    "poster": "box.append(Object.assign(document.createElement('video'), { poster: to }))",
    "subtitles": "box.innerHTML += `<video><track default src='${to}'></video>`",
    "source of a video": "box.innerHTML += `<video preload='auto'><source src='${to}'></video>`",
    "object": "box.innerHTML += `<object data='${to}'></object>`",
    "embed": "box.innerHTML += `<embed src='${to}'>`",
    "frame": "box.append(Object.assign(document.createElement('iframe'), { src: to }))",
    "image in a frame of its own text": "box.append(Object.assign(document.createElement('iframe'), { srcdoc: `<img src='${to}'>` }))",
    "page in a frame of its own text": "box.append(Object.assign(document.createElement('iframe'), { srcdoc: `<meta http-equiv='refresh' content='0;url=${to}'>` }))",
    "frame of a blob": "box.append(Object.assign(document.createElement('iframe'), { src: URL.createObjectURL(new Blob([`<img src='${to}'>`], { type: 'text/html' })) }))",
    "form": "form('get').submit()",
    "form that posts": "form('post').submit()",
    "form in a new window": "const f = form('get'); f.target = '_blank'; f.submit()",
    "ping of a link": "const a = anchor('#here'); a.ping = to; a.click()",
    "preconnect": "link('preconnect')",
    "WebRTC": "const c = new RTCPeerConnection({ iceServers: [{ urls: to.replace(/http:..([^/]*).*/, 'stun:$1') }] }); c.createDataChannel('x'); c.createOffer().then((o) => c.setLocalDescription(o))",
    "icon of a notification": "new Notification('x', { icon: to })",
    "picture of the media session": "navigator.mediaSession.metadata = new MediaMetadata({ artwork: [{ src: to }] })",
}
"""Ways that leave the page where it is."""

LEAVING = {
    "navigation": "location.href = to",
    "navigation in place of the page": "location.replace(to)",
    "link": "anchor(to).click()",
    "refresh": "document.head.append(Object.assign(document.createElement('meta'), { httpEquiv: 'refresh', content: `0;url=${to}` }))",
    "download": "const a = anchor(to); a.download = 'x'; a.click()",
    "new window": "window.open(to)",
    "link to a new window": "const a = anchor(to); a.target = '_blank'; a.click()",
    "address of the page, and a reload": "if (!to.startsWith(location.origin)) throw 0; history.replaceState(0, '', to); location.reload()",
    "cookie, and a reload": "if (!to.startsWith(location.origin) || document.cookie.includes('leak')) throw 0; document.cookie = `leak=${to.split('/').at(-1)}`; location.reload()",
}
"""Ways that lead to another page, or load this one again."""

PROGRAM = """
const box = document.getElementById("box");
const link = (rel, as = "") => document.head.append(Object.assign(document.createElement("link"), { rel, as, href: to }));
const anchor = (href) => box.appendChild(Object.assign(document.createElement("a"), { href, textContent: "a" }));
const form = (method) => box.appendChild(Object.assign(document.createElement("form"), { method, action: to }));
const inWorker = (code) => new Worker(URL.createObjectURL(new Blob([code])));
let to = "";
const ways = { %s };
globalThis.tryOut = (name, address) => {
  to = address;
  try {
    Promise.resolve(ways[name]()).catch(() => {});
  } catch { /* refused at once */ }
};
"""


def program() -> str:
    """The page's program: `tryOut(name, address)`."""
    both = {**IN_PLACE, **LEAVING}
    return PROGRAM % ",\n".join(f'"{name}": () => {{ {body}; }}' for name, body in both.items())
