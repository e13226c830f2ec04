"use strict";
(function () {
  const input = document.getElementById("search"), list = document.getElementById("results");
  const status = document.getElementById("found"), button = document.getElementById("theme");
  const toc = document.querySelector(".toc details");
  const index = JSON.parse(document.getElementById("index").textContent).map(function (entry) {
    const [kind, title, text, id, more] = entry;
    return { kind, title, text, id, low: title.toLowerCase(), more: more.toLowerCase(), body: text.toLowerCase() };
  });
  const MOST = 30;
  let at = -1;      /* which of the results is chosen */

  /* What the fragment asks for: #q=QIRD searches, #theme=dark chooses; anything else is a place. */
  function asked() {
    const out = {};
    for (const part of location.hash.slice(1).split("&")) {
      const [, key, value] = /^(q|theme)=(.*)$/.exec(part) || [];
      try { if (key) out[key] = decodeURIComponent(value.replace(/\+/g, "%20")); } catch (e) { /* not ours */ }
    }
    return out;
  }

  function score(entry, word) {
    if (entry.low === word || entry.low === "at+" + word) return 100;
    if (entry.low.startsWith(word) || entry.low.startsWith("at+" + word)) return 60;
    if (entry.low.split(/[^a-z0-9]+/).includes(word)) return 45;
    if (entry.low.includes(word)) return 30;
    if (entry.more.includes(word)) return 15;
    return entry.body.includes(word) ? 10 : 0;
  }

  function search(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    index.forEach(function (entry, place) {
      const scores = words.map(function (word) { return score(entry, word); });
      if (words.length && Math.min(...scores) > 0) {
        found.push({ entry, place, score: scores.reduce(function (a, b) { return a + b; }) });
      }
    });
    found.sort(function (a, b) { return b.score - a.score || a.place - b.place; });
    return found.map(function (f) { return f.entry; });
  }

  function element(tag, kind, text) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    made.textContent = text;
    return made;
  }

  function show(query) {
    const found = search(query);
    list.replaceChildren(...found.slice(0, MOST).map(function (entry, i) {
      const item = document.createElement("li");
      item.id = "result" + i;
      item.setAttribute("role", "option");
      item.dataset.to = entry.id;
      item.append(element("span", "kind", entry.kind), element("code", "", entry.title), element("span", "text", entry.text));
      return item;
    }));
    if (query.trim() && !found.length) {
      list.append(element("li", "nothing", "Nothing is called so."));
    }
    status.textContent = query.trim() ? found.length + " found" : "";
    select(found.length ? 0 : -1);
    open(Boolean(query.trim()));
  }

  function open(yes) {
    list.hidden = !yes;
    input.setAttribute("aria-expanded", String(yes));
  }

  function options() { return list.querySelectorAll("[role=option]"); }

  function select(i) {
    const all = options();
    at = all.length ? (i + all.length) % all.length : -1;
    all.forEach(function (item, k) { item.setAttribute("aria-selected", String(k === at)); });
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function go(item) {
    if (!item) return;
    open(false);
    input.blur();
    location.hash = "#" + item.dataset.to;
  }

  /* The search stands in the address, so that it can be sent to somebody. */
  function note(query) {
    try {
      history.replaceState(null, "", query.trim() ? "#q=" + encodeURIComponent(query) : location.pathname + location.search);
    } catch (e) { /* a page that may not */ }
  }

  input.addEventListener("input", function () { show(input.value); note(input.value); });
  input.addEventListener("focus", function () { if (input.value.trim()) show(input.value); });
  input.addEventListener("keydown", function (event) {
    const key = event.key;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden && input.value.trim()) show(input.value);
      else select(at + (key === "ArrowDown" ? 1 : -1));
    } else if (key === "Enter") {
      event.preventDefault();
      go(options()[at]);
    } else if (key === "Escape") {
      open(false);
      input.blur();
    }
  });
  list.addEventListener("mousedown", function (event) { event.preventDefault(); });
  list.addEventListener("click", function (event) { go(event.target.closest("[role=option]")); });
  document.addEventListener("click", function (event) { if (!event.target.closest(".search")) open(false); });
  document.addEventListener("keydown", function (event) {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });

  /* Light, dark, or as the system has it. */
  const THEMES = ["auto", "light", "dark"];
  let theme = "auto";
  function dress(name) {
    theme = THEMES.includes(name) ? name : "auto";
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.lastElementChild.textContent = theme;
    button.setAttribute("aria-label", "Theme: " + theme);
  }
  function kept(value) {
    try {
      if (value) localStorage.setItem("atspec-theme", value);
      return localStorage.getItem("atspec-theme");
    } catch (e) { return null; }
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    dress(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
    kept(theme);
  });

  /* On paper nothing is folded away; on a phone the contents are. */
  let opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (d) { d.open = true; });
  });
  window.addEventListener("afterprint", function () { opened.forEach(function (d) { d.open = false; }); });
  const wide = window.matchMedia("(min-width: 62.01rem)");
  function fold() { toc.open = wide.matches; }
  wide.addEventListener("change", fold);
  fold();
  toc.addEventListener("click", function (event) { if (!wide.matches && event.target.closest("a")) toc.open = false; });

  function follow() {
    const wish = asked();
    if (wish.theme) dress(wish.theme);
    if (wish.q !== undefined) {
      input.value = wish.q;
      show(wish.q);
    }
  }
  dress(kept());
  window.addEventListener("hashchange", follow);
  follow();

  /* Where the reader is, in the contents. */
  const links = new Map();
  document.querySelectorAll(".toc a").forEach(function (a) { links.set(decodeURIComponent(a.hash.slice(1)), a); });
  if ("IntersectionObserver" in window) {
    const seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        const a = links.get(entry.target.id);
        if (!entry.isIntersecting || !a) return;
        links.forEach(function (other) { other.classList.remove("here"); other.removeAttribute("aria-current"); });
        a.classList.add("here");
        a.setAttribute("aria-current", "true");
      });
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("main [id]").forEach(function (e) { if (links.has(e.id)) seen.observe(e); });
  }
})();
