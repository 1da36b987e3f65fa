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
  if (text.trim() === "") return filter.required ? filter.default : null;
  if (filter.kind === "number") return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (filter.kind === "date") return Number.isNaN(Date.parse(text)) ? undefined : text;
  return text;
}

// Reads an address into the states; none is the first dashboard's. Returns the dashboard's place, or -1.
function readAddress(hash, dashboards, states) {
  const [, slug, tab, query] = /^#([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(hash || `#${dashboards[0]?.slug}`) ?? [];
  const index = dashboards.findIndex((dashboard) => dashboard.slug === slug);
  if (index < 0) return -1;
  const dashboard = dashboards[index];
  const given = new URLSearchParams(query ?? "");
  states[index].tab = Math.max(0, dashboard.tabs.findIndex((name) => slugOf(name) === tab));
  for (const filter of dashboard.filters) {
    const values = given.getAll(filter.key).map((text) => valueOf(filter, text)).filter((value) => value !== undefined);
    const value = filter.multiple ? values.filter((one) => one !== null) : values[0];
    states[index].chosen[filter.key] = !values.length ? filter.default : filter.multiple && !value.length ? null : value;
  }
  for (const filter of dashboard.filters.filter((one) => one.key.endsWith("_from"))) {
    const { chosen } = states[index];
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
  return known ? plainText(known.label) : value === null ? "Any" : [value].flat().map((one) => plainText(String(one))).join(", ");
};

// A filter's control: `refresh` shows what is chosen. The file offers what it has answers for; live, a list is whole and
// what has no list is typed.
function control(dashboard, filter, state, live, choose) {
  const attributes = { "data-filter": filter.key, id: `${dashboard.slug}-${filter.key}` };
  if (live && (filter.search || !filter.listed)) {
    const list = filter.options.filter((option) => option.value !== null);
    const input = element("input", {
      ...attributes, type: filter.kind === "number" ? "number" : filter.kind === "date" ? "date" : "text", step: filter.kind === "number" ? "any" : null,
      placeholder: filter.required ? null : "Any", list: list.length ? `${attributes.id}-list` : null, autocomplete: "off",
      onchange: () => {
        const value = input.validity.badInput ? undefined : valueOf(filter, input.value);
        const wrong = value === undefined ? "This is no value for this filter" : isPossible(dashboard, filter, value, state.chosen) ? "" : "This leaves nothing between the two ends";
        input.setCustomValidity(wrong);
        if (wrong) input.reportValidity();
        else choose(value);
      },
      oninput: () => input.setCustomValidity(""),
    });
    const offered = list.length ? element("datalist", { id: `${attributes.id}-list` }, ...list.map((option) => element("option", { value: option.value }, plainText(option.label)))) : null;
    const refresh = () => {
      const end = endOf(dashboard, filter);
      input.value = state.chosen[filter.key] ?? "";
      if (end) input[filter.key.endsWith("_from") ? "max" : "min"] = state.chosen[end.key] ?? "";
      input.setCustomValidity("");
    };
    return { field: input, offered, refresh };
  }
  const select = element("select", { ...attributes, multiple: live && filter.multiple, onchange: () => {
    if (!select.multiple) return choose(JSON.parse(select.value));
    const values = [...select.selectedOptions].map((option) => JSON.parse(option.value)).filter((value) => value !== null);
    choose(values.length ? values : null);
  } });
  const refresh = () => {
    const value = state.chosen[filter.key];
    const options = [...filter.options];
    // what an address asks for is shown, even where the file can't answer it
    for (const one of select.multiple ? [value].flat() : [value]) {
      if (!options.some((option) => same(option.value, one))) options.push({ value: one, label: labelOf(filter, one) });
    }
    select.replaceChildren(...options.map((option) => element("option", {
      value: JSON.stringify(option.value), disabled: !isPossible(dashboard, filter, option.value, state.chosen),
    }, plainText(option.label))));
    if (select.multiple) for (const option of select.options) option.selected = [value].flat().some((one) => same(one, JSON.parse(option.value)));
    else select.value = JSON.stringify(value);
  };
  return { field: select, refresh };
}
