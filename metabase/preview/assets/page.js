// The page: tabs, filters, cards, and what happens when one of them is used.
async function start() {
  const page = await unpacked(document.getElementById("page-data").textContent);
  const lands = { world: page.world, spots: page.spots };
  for (const [column, names] of Object.entries(page.names)) placesOf(column, names.map(plainText));
  const states = initialState(page.dashboards);
  const main = document.querySelector("main");
  const tabBar = document.querySelector(".tabs");
  const refreshers = []; // by dashboard: brings its filters' controls to its state
  let shown = 0;
  let asking = new AbortController();

  // the data: JSON, gzip, base64
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // ------------------------------------------------------------------ answers: out of the file, or of the warehouse
  const reaching = (dashboard, card) => dashboard.filters.filter((filter) => card.filters.includes(filter.key));
  function keyInFile(index, card) {
    return reaching(page.dashboards[index], card).filter((filter) => isSet(filter, states[index]))
      .map((filter) => `${filter.key}=${filter.options.findIndex((option) => same([option.value], [states[index].chosen[filter.key]].flat()))}`).join("&");
  }
  async function answerOf(index, card) {
    if (card.error) return { error: card.error };
    if (!page.live) return page.results[card.results[keyInFile(index, card)]] ?? null;
    const query = queryOf(reaching(page.dashboards[index], card), states[index]);
    try {
      // its body, too: an abort may come between the two
      return await (await fetch(`answer/${card.id}?${query}`, { signal: asking.signal })).json();
    } catch (error) {
      // nobody waits for it any more: other filters or another dashboard were chosen
      if (error.name === "AbortError") return new Promise(() => {});
      return { error: "The preview does not answer: is `make preview SERVE=1` still running?" };
    }
  }

  function draw(index) {
    const dashboard = page.dashboards[index];
    const state = states[index];
    asking.abort();
    asking = new AbortController();
    const byId = new Map(dashboard.cards.map((card) => [card.id, card]));
    const missing = new Set();
    for (const cell of main.children[index].querySelectorAll(`.grid[data-tab="${state.tab}"] [data-card]`)) {
      const card = byId.get(cell.dataset.card);
      const set = reaching(dashboard, card).filter((filter) => isSet(filter, state));
      if (!page.live && !card.error && !(keyInFile(index, card) in card.results)) set.forEach((filter) => missing.add(filter));
      const drawIt = () => drawCard(cell, card, answerOf(index, card), {
        filtered: set.length > 0, asTable: state.asTable.has(card.id), lands,
        follow: (click, row, columns) => destination(click, row, columns, { dashboards: page.dashboards, states, index, live: page.live }),
        toggle: async () => {
          if (!state.asTable.delete(card.id)) state.asTable.add(card.id);
          await drawIt();
          cell.querySelector(".as-table")?.focus();
        },
      });
      drawIt();
    }
    tellMissing(index, [...missing]);
  }

  // filters that the file can't combine stay as they are chosen; the page says so and how to go on
  function tellMissing(index, missing) {
    const note = main.children[index].querySelector(".missing");
    if (!note) return;
    const { filters } = page.dashboards[index];
    note.hidden = !missing.length;
    note.replaceChildren(
      element("span", {}, ...withCode(missing.length > 1
        ? `${missing.map((filter) => filter.name).join(" and ")} together are not in this file; \`make preview SERVE=1\` answers every combination. Here, keep one:`
        : "This value is not in this file. `make preview SERVE=1` answers every value.")),
      ...(missing.length > 1 ? missing : []).map((filter) => element("button", { type: "button", onclick: () => {
        for (const other of filters) if (other !== filter) states[index].chosen[other.key] = other.default;
        go(index);
      } }, `${filter.name}: ${labelOf(filter, states[index].chosen[filter.key])}`)),
    );
  }

  // ------------------------------------------------------------------ building
  function filterBar(dashboard, index) {
    const state = states[index];
    const form = element("form", { class: "filters", onsubmit: (event) => event.preventDefault() });
    const controls = dashboard.filters.filter((filter) => page.live || filter.options.length).map((filter) => {
      const made = control(dashboard, filter, state, page.live, (value) => {
        state.chosen[filter.key] = value;
        go(index);
      });
      form.append(element("div", { class: "filter" }, element("label", { for: made.field.id }, filter.name), ...made.parts.filter(Boolean)));
      return { ...made, filter };
    });
    const reset = element("button", { class: "reset", type: "button", onclick: () => {
      for (const filter of dashboard.filters) state.chosen[filter.key] = filter.default;
      go(index);
    } }, "Reset");
    form.append(reset);
    if (dashboard.note && !page.live) form.append(element("p", { class: "note" }, ...withCode(dashboard.note)));
    // on a phone the cards come first: the filters unfold
    const fold = element("button", { class: "fold", type: "button", "aria-expanded": "false", onclick: () => {
      fold.setAttribute("aria-expanded", String(fold.getAttribute("aria-expanded") !== "true"));
    } });
    refreshers[index] = () => {
      const set = controls.filter(({ filter }) => isSet(filter, state));
      for (const { field, filter, refresh } of controls) {
        refresh();
        field.classList.toggle("set", set.some((one) => one.filter === filter));
      }
      reset.hidden = !set.length;
      fold.textContent = set.length ? `Filters: ${set.map(({ filter }) => labelOf(filter, state.chosen[filter.key])).join(", ")}` : "Filters";
    };
    return element("div", { class: dashboard.filters.length > 2 ? "filtering many" : "filtering" }, fold, form, element("div", { class: "missing", role: "status", hidden: true }));
  }

  function cellOf(card) {
    const list = card.display === "table" || card.display === "object";
    const kind = card.kind === "card" ? (isKpi(card) ? "small" : list ? "list" : "chart") : "words";
    const cell = element("div", { class: `cell ${kind}`, "data-card": card.kind === "card" ? card.id : null, "data-display": card.display ?? null });
    cell.style.gridColumn = `${card.col + 1} / span ${card.width}`;
    cell.style.gridRow = `${card.row + 1} / span ${card.height}`;
    const box = element(card.kind === "card" ? "article" : "div", { class: `card${isKpi(card) ? " kpi" : ""}${card.kind === "heading" ? " heading" : card.kind === "text" ? " bare" : ""}` });
    if (card.kind === "heading") box.append(element("h2", {}, card.text));
    else if (card.kind === "text") {
      const holder = element("div", { class: "words-card" });
      holder.innerHTML = card.html; // made from the dashboard's file by a Markdown parser that lets no HTML through
      box.append(holder);
    }
    cell.append(box);
    return cell;
  }

  // a row of tabs with the keys that people expect: arrows, Home, End
  function tabs(bar, names, attributes, select) {
    const buttons = names.map((name, number) => element("button", { type: "button", role: "tab", ...attributes(number), onclick: () => select(number) }, name));
    bar.replaceChildren(...buttons);
    bar.addEventListener("keydown", (event) => {
      const at = buttons.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      buttons[(to + buttons.length) % buttons.length].focus();
      select((to + buttons.length) % buttons.length);
    });
    return bar;
  }
  function selectTab(bar, place) {
    [...bar.children].forEach((button, number) => {
      button.setAttribute("aria-selected", String(number === place));
      button.tabIndex = number === place ? 0 : -1;
      if (number === place) bar.scrollLeft = Math.max(0, button.offsetLeft - 40);
    });
  }

  function build(dashboard, index) {
    const panel = element("section", { id: `panel-${dashboard.slug}`, role: "tabpanel", "aria-labelledby": `tab-${dashboard.slug}`, hidden: true });
    panel.append(element("div", { class: "intro" },
      element("div", { class: "words" }, element("h1", {}, dashboard.name), dashboard.about ? element("p", {}, dashboard.about) : null),
      dashboard.filters.length ? filterBar(dashboard, index) : null));
    const inner = dashboard.tabs.length > 1;
    const idOf = (number) => `tab-${dashboard.slug}-${number}`;
    if (inner) {
      panel.append(tabs(element("div", { class: "tabs inner", role: "tablist", "aria-label": `Parts of ${dashboard.name}` }), dashboard.tabs,
        (number) => ({ id: idOf(number), "aria-controls": `grid-${dashboard.slug}-${number}` }),
        (number) => { states[index].tab = number; go(index); }));
    }
    (inner ? dashboard.tabs : [""]).forEach((_, number) => panel.append(element("div", {
      class: "grid", "data-tab": number, id: `grid-${dashboard.slug}-${number}`, ...(inner ? { role: "tabpanel", "aria-labelledby": idOf(number) } : {}),
    }, ...dashboard.cards.filter((card) => card.tab === number).map(cellOf))));
    return panel;
  }

  // ------------------------------------------------------------------ going somewhere
  function show(index) {
    hideTip();
    shown = index;
    const dashboard = page.dashboards[index];
    const state = states[index];
    const panel = main.children[index];
    [...main.children].forEach((other) => (other.hidden = other !== panel));
    selectTab(tabBar, index);
    const inner = panel.querySelector(".tabs.inner");
    if (inner) selectTab(inner, state.tab);
    panel.querySelectorAll(".grid").forEach((grid) => (grid.hidden = Number(grid.dataset.tab) !== state.tab));
    refreshers[index]?.();
    const set = dashboard.filters.filter((filter) => isSet(filter, state))
      .map((filter) => `${filter.kind === "text" ? "" : `${filter.name} `}${labelOf(filter, state.chosen[filter.key])}`);
    document.title = [...set, ...(state.tab ? [dashboard.tabs[state.tab]] : []), dashboard.name, page.title].join(" · ");
    draw(index);
  }
  function go(index) {
    const address = addressOf(page.dashboards[index], states[index]);
    if (address !== location.hash) history.pushState(null, "", address);
    show(index);
  }
  const arrive = () => {
    const index = readAddress(location.hash, page.dashboards, states);
    if (index >= 0) show(index);
  };

  tabs(tabBar, page.dashboards.map((dashboard) => dashboard.name),
    (index) => ({ id: `tab-${page.dashboards[index].slug}`, "aria-controls": `panel-${page.dashboards[index].slug}` }), go);
  main.append(...page.dashboards.map(build));
  if (page.dashboards.length) {
    show(Math.max(0, readAddress(location.hash, page.dashboards, states)));
    addEventListener("popstate", arrive);
  }

  // ------------------------------------------------------------------ light and dark, wide and narrow
  const storage = (use) => {
    try { return use(localStorage); } catch { return null; /* a page from file:// may have no storage */ }
  };
  const remembered = storage((store) => store.getItem("theme"));
  if (["light", "dark"].includes(remembered)) {
    root.dataset.theme = remembered;
    if (page.dashboards.length) draw(shown);
  }
  document.querySelector(".toggle").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    storage((store) => store.setItem("theme", root.dataset.theme));
    draw(shown);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(shown));
  let width = innerWidth;
  let waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's address bar came or went
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(shown), 120);
  });
  root.dataset.ready = "yes";
}

start().catch((error) => {
  document.querySelector("main").replaceChildren(element("p", {}, `This page could not be shown; it needs a browser of 2023 or newer. (${error})`));
  throw error;
});
