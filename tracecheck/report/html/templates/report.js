"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const filter = $("filter"), onlyFail = $("only-fail"), unfold = $("unfold"), count = $("count");
  const findings = [...document.querySelectorAll(".finding")];
  const rules = [...document.querySelectorAll("details.rule")];
  // Read once: a page may have twenty thousand rows.
  const texts = findings.map((f) => `${f.dataset.rule} ${f.textContent}`.toLowerCase());
  const of = new Map(rules.map((r) => [r, []]));
  findings.forEach((f, i) => of.get(f.closest("details.rule")).push(i));
  const shown = new Array(findings.length).fill(true);

  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const failed = onlyFail.getAttribute("aria-pressed") === "true";
    const active = words.length > 0 || failed;
    let visible = 0;
    findings.forEach((f, i) => {
      shown[i] = words.every((w) => texts[i].includes(w)) && (!failed || f.classList.contains("fail"));
      if (f.hidden === shown[i]) f.hidden = !shown[i];
      visible += shown[i];
    });
    for (const [rule, mine] of of) {
      const any = mine.some((i) => shown[i]);
      rule.hidden = active && !any;
      if (active && any) rule.open = true;
      for (const table of rule.querySelectorAll("table.list")) {
        table.hidden = !mine.some((i) => shown[i] && table.contains(findings[i]));
      }
    }
    count.textContent = active ? `${visible} of ${plural(findings.length, "finding")}` : plural(findings.length, "finding");
    $("nothing").hidden = !active || visible > 0;
    document.body.classList.toggle("filtered", active);
  };

  let timer = 0;
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, findings.length > 2000 ? 150 : 0);
  });

  // Where a drawing is wider than the window, what was measured in it is what is seen first.
  const place = (rule) => {
    for (const figure of rule.querySelectorAll("figure.scroll")) {
      const measured = figure.querySelector("path.span, polygon.here");
      if (!measured || figure.scrollWidth <= figure.clientWidth || figure.scrollLeft > 0) continue;
      const seen = figure.getBoundingClientRect(), span = measured.getBoundingClientRect();
      if (span.right <= seen.right) continue;
      const room = (seen.width - Math.min(span.width, seen.width * .8)) / 2;
      figure.scrollLeft += span.right + room - seen.right;
    }
  };
  for (const rule of rules) {
    rule.addEventListener("toggle", () => { if (rule.open) place(rule); });
    if (rule.open) place(rule);  // the browser may have told of those that are open from the start already
  }

  let current = -1;
  const reveal = (i) => {
    current = i;
    const finding = findings[i];
    for (let d = finding.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    for (const other of document.querySelectorAll(".current")) other.classList.remove("current");
    finding.classList.add("current");
    finding.focus({ preventScroll: true });
    finding.scrollIntoView({ block: finding.tagName === "TR" ? "center" : "start" });
    history.replaceState(null, "", `#${finding.id}`);
  };
  const jump = (step) => {
    for (let i = current + step; i >= 0 && i < findings.length; i += step) {
      if (shown[i]) return reveal(i);
    }
  };

  const press = () => {
    onlyFail.setAttribute("aria-pressed", String(onlyFail.getAttribute("aria-pressed") !== "true"));
    apply();
  };
  const toggleAll = () => {
    const open = unfold.textContent === "Open all";
    for (const rule of rules) rule.open = open;
    unfold.textContent = open ? "Close all" : "Open all";
  };
  onlyFail.addEventListener("click", press);
  unfold.addEventListener("click", toggleAll);
  $("next").addEventListener("click", () => jump(1));
  $("previous").addEventListener("click", () => jump(-1));
  $("help").addEventListener("click", () => $("keys").showModal());

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("keys").open) return;
    if (e.target === filter) {
      if (e.key === "Escape") { filter.value = ""; apply(); filter.blur(); }
      if (e.key === "Enter") { clearTimeout(timer); apply(); filter.blur(); current = -1; jump(1); }
      return;
    }
    const keys = { j: () => jump(1), k: () => jump(-1), "/": () => filter.focus(), f: press, e: toggleAll, "?": () => $("keys").showModal() };
    if (Object.hasOwn(keys, e.key)) { e.preventDefault(); keys[e.key](); }
    if (e.key === "Escape" && filter.value) { filter.value = ""; apply(); }
  });

  const follow = () => {
    const target = $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const i = findings.indexOf(target);
    if (i >= 0) return reveal(i);
    const rule = target.closest("details");
    if (rule) { rule.open = true; rule.scrollIntoView(); }
  };
  addEventListener("hashchange", follow);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = rules.filter((r) => !r.open);
    for (const rule of closed) rule.open = true;
  });
  addEventListener("afterprint", () => { for (const rule of closed) rule.open = false; });

  apply();
  follow();
})();
