// What is chosen: the dashboards' state, the address that holds it, and the filters' controls.
// The address reads #dashboard/tab?filter=value; a filter that is not in it has its default, an empty one no value.

function initialState(dashboards) {
  return dashboards.map((dashboard) => ({
    tab: 0, chosen: Object.fromEntries(dashboard.filters.map((filter) => [filter.key, filter.default])), asTable: new Set(),
  }));
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const isSet = (filter, state) => !same(state.chosen[filter.key], filter.default);

function queryOf(filters, state) {
  const query = new URLSearchParams();
  for (const filter of filters.filter((one) => isSet(one, state))) {
    for (const value of [state.chosen[filter.key] ?? ""].flat()) query.append(filter.key, value);
  }
  return query;
}

function addressOf(dashboard, state) {
  const query = String(queryOf(dashboard.filters, state));
  return `#${dashboard.slug}${state.tab ? `/${slugOf(dashboard.tabs[state.tab])}` : ""}${query ? `?${query}` : ""}`;
}

// the value that a text stands for; undefined for what is none
function valueOf(filter, text) {
  if (text.trim() === "") return null;
  if (filter.kind === "number") return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (filter.type === "date/single") return Number.isNaN(Date.parse(text)) ? undefined : text;
  return text;
}
// several values, as the state holds them: none is null, or the default where one is required; one is itself
function several(filter, values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!known.length) return filter.required ? filter.default : null;
  return known.length === 1 && filter.type !== "number/between" ? known[0] : known;
}

// Reads an address into the states; none is the first dashboard's. Returns the dashboard's place, or -1.
function readAddress(hash, dashboards, states) {
  const [, slug, tab, query] = /^#([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(hash || `#${dashboards[0]?.slug}`) ?? [];
  const index = dashboards.findIndex((dashboard) => dashboard.slug === slug);
  if (index < 0) return -1;
  const dashboard = dashboards[index];
  const { chosen } = states[index];
  const given = new URLSearchParams(query ?? "");
  states[index].tab = Math.max(0, dashboard.tabs.findIndex((name) => slugOf(name) === tab));
  for (const filter of dashboard.filters) {
    const values = given.getAll(filter.key).map((text) => valueOf(filter, text)).filter((value) => value !== undefined);
    const many = filter.multiple || filter.type === "number/between";
    chosen[filter.key] = values.length ? several(filter, many ? values : values.slice(0, 1)) : filter.default;
  }
  for (const filter of dashboard.filters.filter((one) => one.key.endsWith("_from"))) {
    const end = endOf(dashboard, filter);
    // a range written the wrong way round is meant the other way round
    if (end && chosen[filter.key] !== null && chosen[end.key] !== null && chosen[filter.key] > chosen[end.key]) {
      [chosen[filter.key], chosen[end.key]] = [chosen[end.key], chosen[filter.key]];
    }
  }
  return index;
}

// Two filters called x_from and x_to are the ends of a range.
const endOf = (dashboard, filter) => {
  const [, stem, side] = /^(.*)_(from|to)$/.exec(filter.key) ?? [];
  return stem ? dashboard.filters.find((other) => other.key === `${stem}_${side === "from" ? "to" : "from"}`) : undefined;
};
function isPossible(dashboard, filter, value, chosen) {
  const end = endOf(dashboard, filter);
  const other = end ? chosen[end.key] : null;
  return value === null || other === null || (filter.key.endsWith("_from") ? value <= other : value >= other);
}

const labelOf = (filter, value) => {
  const known = filter.options.find((option) => same(option.value, value));
  if (known) return plainText(known.label);
  if (value === null) return "Any";
  if (filter.kind === "date") return String(value).split("~").map((one) => (/^\d{4}-\d\d-\d\d$/.test(one) ? formatDate(one) : one)).join(" – ");
  return [value].flat().map((one) => plainText(String(one))).join(filter.type === "number/between" ? " – " : ", ");
};

// The controls: each is { field, parts, refresh }, where `refresh` shows what is chosen. The file offers the values that it
// has answers for. Live, a list is whole and may take several values, and what has no list is typed.
const INPUTS = { "date/single": "date", "date/range": "date", "date/month-year": "month", "number/between": "number" };

// one line to type in, or the two ends of a span
function typed(dashboard, filter, state, attributes, choose) {
  const span = filter.type === "number/between" || filter.type === "date/range";
  const kind = INPUTS[filter.type] ?? (filter.kind === "number" ? "number" : "text");
  const list = filter.options.filter((option) => option.value !== null);
  const inputs = (span ? ["from", "to"] : [""]).map((end) => element("input", {
    ...attributes, id: end === "to" ? null : attributes.id, type: kind, step: kind === "number" ? "any" : null, placeholder: end || (filter.required ? null : "Any"),
    list: list.length && !span ? `${attributes.id}-list` : null, autocomplete: "off", "aria-label": end ? `${filter.name}, ${end}` : null,
    oninput: () => inputs.forEach((input) => input.setCustomValidity("")),
    onchange: () => {
      const [first, last] = inputs.map((input) => (input.validity.badInput ? undefined : valueOf(filter.kind === "date" ? { type: "" } : filter, input.value)));
      const value = !span ? (first === null ? several(filter, []) : first)
        : first === undefined || last === undefined ? undefined
        : filter.kind === "date" ? (first || last ? `${first ?? ""}~${last ?? ""}` : several(filter, []))
        : first === null || last === null ? (first === last ? several(filter, []) : state.chosen[filter.key]) : [first, last];
      const ordered = span ? first === null || last === null || first <= last : value === undefined || isPossible(dashboard, filter, value, state.chosen);
      const wrong = value === undefined ? "This is no value for this filter" : ordered ? "" : "This leaves nothing between the two ends";
      inputs.at(-1).setCustomValidity(wrong);
      if (wrong) inputs.at(-1).reportValidity();
      else if (!same(value, state.chosen[filter.key])) choose(value);
    },
  }));
  const refresh = () => {
    const value = state.chosen[filter.key];
    const ends = !span ? [value] : filter.kind === "date" ? String(value ?? "").split("~") : value ?? [];
    inputs.forEach((input, number) => {
      input.value = ends[number] ?? "";
      input.setCustomValidity("");
    });
    const end = endOf(dashboard, filter);
    if (end) inputs[0][filter.key.endsWith("_from") ? "max" : "min"] = state.chosen[end.key] ?? "";
  };
  const offered = list.length && !span ? element("datalist", { id: `${attributes.id}-list` }, ...list.map((option) => element("option", { value: option.value }, plainText(option.label)))) : null;
  return { field: inputs[0], parts: [span ? element("span", { class: "span" }, ...inputs) : inputs[0], offered], refresh };
}

// a list of which several can be ticked; it unfolds over the page
function ticked(filter, state, attributes, choose) {
  const summary = element("summary", attributes);
  const boxes = filter.options.filter((option) => option.value !== null).map((option) => {
    const box = element("input", { type: "checkbox", onchange: () => choose(several(filter, boxes.filter((one) => one.box.checked).map((one) => one.value))) });
    return { box, value: option.value, line: element("label", {}, box, plainText(option.label)) };
  });
  const find = element("input", { class: "find", type: "search", placeholder: "Find", "aria-label": `Find in ${filter.name}`, oninput: () => {
    for (const { line } of boxes) line.hidden = !line.textContent.toLocaleLowerCase("en").includes(find.value.trim().toLocaleLowerCase("en"));
  } });
  const field = element("details", { class: "several", onkeydown: (event) => {
    if (event.key !== "Escape") return;
    field.open = false;
    summary.focus();
  } }, summary, element("div", { class: "choices", role: "group", "aria-label": filter.name, tabindex: "0" }, boxes.length > 12 ? find : null, ...boxes.map((one) => one.line)));
  document.addEventListener("click", (event) => field.contains(event.target) || (field.open = false));
  const refresh = () => {
    const values = [state.chosen[filter.key]].flat();
    boxes.forEach(({ box, value }) => (box.checked = values.some((one) => same(one, value))));
    summary.textContent = labelOf(filter, state.chosen[filter.key]);
    summary.setAttribute("aria-label", `${filter.name}: ${summary.textContent}`);
  };
  return { field: summary, parts: [field], refresh };
}

function chooser(dashboard, filter, state, attributes, choose) {
  const select = element("select", { ...attributes, onchange: () => choose(JSON.parse(select.value)) });
  const refresh = () => {
    const value = state.chosen[filter.key];
    // what an address asks for is shown, even where the file can't answer it
    const unknown = filter.options.some((option) => same(option.value, value)) ? [] : [{ value, label: labelOf(filter, value) }];
    select.replaceChildren(...[...filter.options, ...unknown].map((option) => element("option", {
      value: JSON.stringify(option.value), disabled: !isPossible(dashboard, filter, option.value, state.chosen),
    }, plainText(option.label))));
    select.value = JSON.stringify(value);
  };
  return { field: select, parts: [select], refresh };
}

function control(dashboard, filter, state, live, choose) {
  const attributes = { "data-filter": filter.key, id: `${dashboard.slug}-${filter.key}` };
  if (live && filter.listed && !filter.search) return (filter.multiple ? ticked : (...all) => chooser(dashboard, ...all))(filter, state, attributes, choose);
  return (live ? typed : chooser)(dashboard, filter, state, attributes, choose);
}

// Where a click on a row leads: an address, or null where it leads nowhere (a value is missing, or the file has no answer).
function destination(click, row, columns, { dashboards, states, index, live }) {
  const valueAt = (name) => row[columns.find((column) => column.name === name)?.index] ?? null;
  if (click.url) {
    const url = click.url.replace(/\{\{\s*([^}]*?)\s*\}\}/g, (_, name) => encodeURIComponent(valueAt(name) ?? ""));
    return /^https?:\/\//.test(url) ? url : null;
  }
  const target = click.slug ? dashboards.findIndex((dashboard) => dashboard.slug === click.slug) : index;
  const dashboard = dashboards[target];
  if (!dashboard) return null;
  const tab = click.tab ? Math.max(0, dashboard.tabs.indexOf(click.tab)) : target === index ? states[index].tab : 0;
  const [start] = initialState([dashboard]);
  const chosen = target === index ? { ...states[index].chosen } : start.chosen;
  for (const [key, name] of Object.entries(click.sets)) {
    const filter = dashboard.filters.find((one) => one.key === key);
    const value = filter && valueAt(name);
    if (value === null || value === undefined) return null;
    if (!live && !filter.options.some((option) => same(option.value, value))) return null;
    chosen[key] = value;
  }
  return addressOf(dashboard, { tab, chosen });
}
