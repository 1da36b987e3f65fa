// One card: its chart, number or table, its tooltip, and why it is empty when it is.

// ------------------------------------------------------------------ tooltip: by mouse, by touch, by arrow keys
const tip = document.body.appendChild(element("div", { class: "tip", role: "status", hidden: true }));
let lit = []; // the points that the tooltip is about
function hideTip() {
  tip.hidden = true;
  lit.forEach((mark) => mark.removeAttribute("data-lit"));
  lit = [];
}
function showTip(x, y, lines, marks) {
  hideTip();
  tip.replaceChildren(
    element("b", {}, lines.title),
    ...lines.pairs.map(([name, value]) => element("div", {}, element("span", {}, name), element("span", {}, value))),
  );
  tip.hidden = false;
  lit = marks;
  lit.forEach((mark) => mark.setAttribute("data-lit", ""));
  const box = tip.getBoundingClientRect();
  const left = x + 14 + box.width > innerWidth - 6 ? x - 14 - box.width : x + 14;
  const top = y + 14 + box.height > innerHeight - 6 ? y - 14 - box.height : y + 14;
  tip.style.transform = `translate(${Math.max(6, left)}px, ${Math.max(6, top)}px)`;
}

// `follow` tells where a click on a row of the answer leads, or null
function explain(holder, made, follow) {
  const picture = holder.querySelector("svg");
  const nodes = [...picture.querySelectorAll(".mark-rect path, .mark-symbol path, .mark-arc path, .mark-shape path")]
    .filter((node) => node.__data__?.datum?.tip !== undefined);
  const byTip = new Map();
  for (const node of nodes) byTip.set(node.__data__.datum.tip, [...(byTip.get(node.__data__.datum.tip) ?? []), node]);
  const order = [...byTip.keys()].sort((a, b) => a - b);
  let spots = null;
  const middles = () => {
    const base = picture.getBoundingClientRect();
    spots ??= nodes.map((node) => {
      const box = node.getBoundingClientRect();
      return { node, x: box.x + box.width / 2 - base.x, y: box.y + box.height / 2 - base.y, small: Math.max(box.width, box.height) < 24 };
    });
    return { base, spots };
  };
  // the mark that the pointer is on, or the nearest; `strict` asks for the nearest in both directions
  const nearest = (event, strict = false) => {
    const hit = event.target.closest?.("path");
    if (nodes.includes(hit)) return hit;
    const { base, spots: all } = middles();
    if (strict && made.along === "x" && made.lines) {
      const far = (spot) => Math.hypot(spot.x + base.x - event.clientX, spot.y + base.y - event.clientY);
      return all.reduce((one, other) => (!one || far(other) < far(one) ? other : one), null)?.node ?? null;
    }
    const distance = (spot) => made.along === "x" ? Math.abs(spot.x + base.x - event.clientX)
      : made.along === "y" ? Math.abs(spot.y + base.y - event.clientY)
      : spot.small ? Math.hypot(spot.x + base.x - event.clientX, spot.y + base.y - event.clientY) : Infinity;
    const best = all.reduce((one, other) => (!one || distance(other) < distance(one) ? other : one), null);
    return best && distance(best) < (made.along ? Infinity : 16) ? best.node : null;
  };
  const tipOf = (node) => node.__data__.datum.tip;
  const leads = (node) => (node && node.__data__.datum.row !== undefined ? follow(node.__data__.datum.row) : null);
  const point = (event) => {
    const node = nearest(event);
    holder.classList.toggle("leads", leads(node) !== null);
    if (!node) return hideTip();
    showTip(event.clientX, event.clientY, made.tips[tipOf(node)], byTip.get(tipOf(node)));
  };
  let at = -1;
  let told = null; // the tooltip that a finger has asked for: a second touch follows it
  const step = (to) => {
    at = Math.min(order.length - 1, Math.max(0, to));
    const [node] = byTip.get(order[at]);
    // bars beyond the card's edge come into view first
    node.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    const box = node.getBoundingClientRect();
    showTip(box.x + box.width / 2, box.y + box.height / 2, made.tips[order[at]], byTip.get(order[at]));
  };
  holder.onpointermove = (event) => event.pointerType !== "touch" && point(event);
  holder.onclick = (event) => {
    event.stopPropagation();
    const node = nearest(event, true);
    const address = leads(node);
    const first = event.pointerType === "touch" && (tip.hidden || told !== tipOf(node));
    if (address === null || first) {
      point(event);
      told = node && tipOf(node);
    } else goTo(address);
  };
  holder.onpointerleave = (event) => event.pointerType !== "touch" && hideTip();
  holder.onblur = hideTip;
  holder.onkeydown = (event) => {
    const address = event.key === "Enter" && at >= 0 ? leads(byTip.get(order[at])[0]) : null;
    if (address !== null) return goTo(address);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key];
    if (to === undefined || !order.length) return;
    event.preventDefault();
    step(to);
  };
}
function goTo(address) {
  hideTip();
  if (address.startsWith("#")) location.hash = address;
  else open(address, "_blank", "noopener,noreferrer");
}
document.addEventListener("click", hideTip);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
addEventListener("scroll", (event) => event.target === document && hideTip(), { passive: true, capture: true });

// ------------------------------------------------------------------ charts
const KINDS = { row: "Bar chart", bar: "Bar chart", line: "Line chart", area: "Area chart", combo: "Bars and lines", scatter: "Scatter plot", pie: "Pie chart", map: "Map" };

// what a chart shows, for one who can't see it
function summary(card, columns, rows) {
  const wanted = [card.settings["graph.metrics"], card.settings["pie.metric"], card.settings["map.metric"]].flat().filter(Boolean);
  const metric = columns.find((column) => wanted.includes(column.name)) ?? columns.find(isNumber);
  const known = rows.filter((row) => metric && row[metric.index] !== null);
  const label = columns.find((column) => column.type === "text") ?? columns.find((column) => column !== metric);
  const value = (row) => `${formatValue(row[metric.index], metric)}${label ? ` (${formatValue(row[label.index], label)})` : ""}`;
  const sorted = [...known].sort((a, b) => a[metric.index] - b[metric.index]);
  const time = columns.find(isTime);
  const days = time ? rows.map((row) => row[time.index]).filter(Boolean).sort() : [];
  return [
    `${KINDS[card.display]}: ${card.title}. `, `${formatNumber(rows.length)} ${rows.length === 1 ? "row" : "rows"}`,
    days.length ? `, ${formatDate(days[0])} to ${formatDate(days.at(-1))}` : "",
    sorted.length ? `. ${metric.title} from ${value(sorted[0])} to ${value(sorted.at(-1))}.` : ".",
    " The arrow keys read the values; the button Table lists them.",
  ].join("");
}

const refuse = () => Promise.reject(new Error("this page loads nothing"));
async function drawChart(holder, card, columns, rows, { lands, follow }, alive) {
  // on a phone a chart of many bars takes the room it needs, instead of scrolling within the page's scroll
  if (card.display === "row" && matchMedia("(max-width: 760px)").matches) holder.style.flex = `0 0 ${rows.length * 24 + 16}px`;
  const size = { width: holder.clientWidth, height: holder.clientHeight };
  if (size.width < 20 || size.height < 20) return null;
  const made = specOf(card, columns, rows, size, lands);
  // many bars scroll in their card instead of becoming too thin to read
  const needed = made.step ? made.count * made.step + 16 : 0;
  const tall = needed > size.height;
  holder.classList.toggle("tall", tall);
  const target = element("div", { class: "vega" });
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: size.width - (tall ? 14 : 0), height: tall ? needed : size.height,
    autosize: { type: "fit", contains: "padding" }, ...made.spec,
  };
  const result = await window.vegaEmbed(target, spec, {
    actions: false, renderer: "svg", ast: true, defaultStyle: false, config: config(), loader: { load: refuse, sanitize: refuse }, tooltip: () => {},
  });
  if (!alive()) {
    result.finalize();
    return null;
  }
  holder.replaceChildren(target);
  target.querySelector("svg").setAttribute("aria-hidden", "true");
  holder.setAttribute("aria-label", summary(card, columns, rows));
  const [click] = card.clicks;
  explain(holder, made, (row) => (click ? follow(click, rows[row], columns) : null));
  return result;
}

// ------------------------------------------------------------------ numbers
function sparkline(values) {
  const spark = element("div", { class: "spark", "aria-hidden": "true" });
  const numbers = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const points = numbers.map((value, index) => [(index / (numbers.length - 1)) * 100, high === low ? 20 : 36 - ((value - low) / (high - low)) * 30]);
  const line = points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = (d, attributes) => {
    const made = document.createElementNS(space, "path");
    for (const [name, value] of Object.entries({ d, ...attributes })) made.setAttribute(name, value);
    svg.append(made);
  };
  svg.setAttribute("viewBox", "0 0 100 40");
  svg.setAttribute("preserveAspectRatio", "none");
  path(`${line}L100 40L0 40Z`, { fill: "var(--accent)", opacity: "0.09" });
  path(line, { fill: "none", stroke: "var(--accent)", "stroke-width": "1.6", "vector-effect": "non-scaling-stroke", opacity: "0.75" });
  spark.append(svg);
  return spark;
}

function drawKpi(body, card, columns, rows) {
  const time = columns.find(isTime);
  const series = card.display === "smartscalar" && time !== undefined;
  const metric = columns.find((column) => column.name === card.settings["scalar.field"]) ?? columns.find((column) => (series ? isNumber(column) : true));
  const ordered = series ? [...rows].sort((a, b) => (a[time.index] < b[time.index] ? -1 : 1)) : rows;
  const value = ordered.at(-1)[metric.index];
  const number = element("div", { class: "number" });
  const shown = formatValue(value, metric, isNumber(metric) ? unitOf([value], metric) : null);
  number.append(element("div", {
    class: typeof value === "string" && !isTime(metric) ? "value words" : "value",
    title: isNumber(metric) && value !== null ? formatNumber(value, metric) : shown,
  }, shown));
  body.append(number);
  if (!series || ordered.length < 3) body.classList.add("middle");
  if (!series) return;
  const before = ordered.length > 1 ? ordered.at(-2) : null;
  const then = before ? before[metric.index] : null;
  if (then === null || value === null) {
    number.append(element("div", { class: "change" }, before ? "not known the time before" : "the first day: nothing to compare with yet"));
  } else {
    const difference = value - then;
    const relative = then ? difference / Math.abs(then) : null;
    const small = relative !== null && Math.abs(relative) < 0.0005;
    const arrow = difference > 0 ? "▲" : difference < 0 ? "▼" : "●";
    const text = difference === 0 ? "no change"
      : relative === null || small ? formatNumber(Math.abs(difference), { ...metric, prefix: "", suffix: "" })
      : formatNumber(Math.abs(relative), { style: "percent", decimals: Math.abs(relative) >= 0.1 ? 0 : Math.abs(relative) >= 0.01 ? 1 : 2 });
    const gap = Math.round((moment(ordered.at(-1)[time.index].slice(0, 10)) - moment(before[time.index].slice(0, 10))) / 864e5);
    number.append(element("div", {
      class: `change ${difference > 0 ? "up" : difference < 0 ? "down" : ""}`,
      title: `${formatDate(before[time.index], false)}: ${formatValue(then, metric)}`,
    }, element("b", {}, `${arrow} ${text}`), gap === 1 ? " since the day before" : ` since ${formatDate(before[time.index], false)}`));
  }
  if (ordered.length > 2) body.append(sparkline(ordered.map((row) => row[metric.index])));
}

// ------------------------------------------------------------------ tables
// Metabase's conditional colours of one value
const OPERATORS = {
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "=": (a, b) => a === b, "!=": (a, b) => a !== b,
};
function tintOf(card, column, value) {
  if (value === null) return null;
  const rule = (card.settings["table.column_formatting"] ?? []).find(
    (one) => one.type === "single" && one.columns.includes(column.name) && OPERATORS[one.operator]?.(value, one.value),
  );
  return rule && /^#[0-9a-f]{6}$/i.test(rule.color) ? rule.color : null;
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true, sensitivity: "base" }) : a - b;
}

function visibleColumns(card, columns) {
  const wanted = card.settings["table.columns"];
  if (!wanted) return columns;
  return wanted.filter((item) => item.enabled !== false).map((item) => columns.find((column) => column.name === item.name)).filter(Boolean);
}

function drawTable(head, body, card, columns, rows, follow) {
  const visible = visibleColumns(card, columns);
  const view = { column: null, down: false, find: "" };
  const largest = new Map(visible.filter((column) => column.bar).map((column) => [column, Math.max(...rows.map((row) => row[column.index] ?? 0)) || 1]));
  const tbody = element("tbody");
  const count = element("span", { class: "count", role: "status" });
  const cellOf = (row, column) => {
    const value = row[column.index];
    const cell = element("td", { class: isNumber(column) ? "num" : isTime(column) ? "date" : "text" });
    const tint = tintOf(card, column, value);
    if (tint) cell.style.setProperty("--tint", tint);
    if (value === null) cell.append(element("span", { class: "none" }, "–"));
    else if (column.bar) {
      const bar = element("i");
      bar.style.setProperty("--part", `${Math.max(0, (value / largest.get(column)) * 100).toFixed(1)}%`);
      cell.append(element("div", { class: "mini" }, bar, formatValue(value, column)));
    } else if (column.link && /^https:\/\//.test(value)) {
      cell.append(element("a", { href: value, target: "_blank", rel: "noopener noreferrer" }, column.linkText ?? value));
    } else {
      const click = card.clicks.find((one) => one.column === column.name);
      const address = click ? follow(click, row, columns) : null;
      const text = formatValue(value, column);
      const away = address !== null && !address.startsWith("#");
      cell.append(address === null ? text : element("a", { href: address, ...(away ? { target: "_blank", rel: "noopener noreferrer" } : {}) }, text));
    }
    return cell;
  };
  const fill = () => {
    const words = view.find.trim().toLocaleLowerCase("en");
    const some = words ? rows.filter((row) => visible.some((column) => formatValue(row[column.index], column).toLocaleLowerCase("en").includes(words))) : [...rows];
    if (view.column) {
      const at = view.column.index;
      // unknown last, whatever the direction
      some.sort((a, b) => (a[at] === null ? 1 : 0) - (b[at] === null ? 1 : 0) || (a[at] === null ? 0 : compare(a[at], b[at]) * (view.down ? -1 : 1)));
    }
    tbody.replaceChildren(...some.map((row) => element("tr", {}, ...visible.map((column) => cellOf(row, column)))));
    if (!some.length) tbody.append(element("tr", {}, element("td", { colspan: visible.length }, element("span", { class: "none" }, "nothing found"))));
    count.textContent = words ? `${formatNumber(some.length)} of ${formatNumber(rows.length)}` : `${formatNumber(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
  };
  const heads = visible.map((column) => {
    const th = element("th", { class: isNumber(column) ? "num" : null, scope: "col" }, element("button", { type: "button", onclick: () => {
      view.down = view.column === column ? !view.down : isNumber(column);
      view.column = column;
      for (const other of heads) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", view.down ? "descending" : "ascending");
      fill();
    } }, column.title));
    return th;
  });
  if (rows.length > 6) {
    head.append(count, element("input", {
      class: "find", type: "search", placeholder: "Find in this table", "aria-label": `Find in ${card.title}`,
      oninput: (event) => { view.find = event.target.value; fill(); },
    }));
  }
  fill();
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${card.title}, table` },
    element("table", {}, element("thead", {}, element("tr", {}, ...heads)), tbody));
  const hint = element("div", { class: "hint", "aria-hidden": "true" }, "more columns →");
  body.append(scroll, hint);
  const beyond = () => (hint.hidden = scroll.scrollLeft + scroll.clientWidth >= scroll.scrollWidth - 4);
  scroll.addEventListener("scroll", beyond, { passive: true });
  beyond();
}

function drawObject(body, card, columns, rows) {
  body.append(element("dl", { class: "pairs", tabindex: "0" }, ...visibleColumns(card, columns).flatMap((column) => [
    element("dt", {}, column.title), element("dd", {}, formatValue(rows[0][column.index], column)),
  ])));
}

// ------------------------------------------------------------------ the card
const charts = new Map(); // cell → { token, view }: the drawing that counts, and what Vega keeps for it
const isKpi = (card) => card.display === "scalar" || card.display === "smartscalar";

function emptyNote(title, text, kind = "") {
  return element("div", { class: `empty ${kind}` }, element("strong", {}, title), text ? element("span", {}, ...withCode(text)) : null);
}

function columnsOf(card, result) {
  return result.columns.map((column, index) => {
    const made = { ...column, ...(card.columns[column.name] ?? {}), index };
    // numbers of one column stand under one another, so they have as many decimals
    if (made.type === "number" && made.decimals === undefined && !made.style) {
      const decimals = result.rows.map((row) => (row[index] === null ? 0 : (String(row[index]).split(".")[1] ?? "").length));
      made.decimals = Math.min(2, Math.max(0, ...decimals));
    }
    return made;
  });
}

// `answer` is a promise of { columns, rows, total }, of { error }, or of null where the file has no answer;
// `filtered` tells whether a filter that reaches the card is set, `asTable` whether it is to be listed
function drawCard(cell, card, answer, { filtered, asTable, lands, toggle, follow }) {
  charts.get(cell)?.view?.finalize();
  const token = {};
  const alive = () => charts.get(cell)?.token === token;
  charts.set(cell, { token });
  cell.dataset.drawn = "no";
  cell.setAttribute("aria-busy", "true");
  const done = (how) => {
    if (!alive()) return;
    cell.dataset.drawn = how;
    cell.removeAttribute("aria-busy");
  };
  const box = cell.firstElementChild;
  const head = element("header", {}, element("h2", {}, card.title), element("span", { class: "grow" }));
  const body = element("div", { class: "body" });
  const dress = () => {
    const about = card.about ? element("p", { class: isKpi(card) ? "about unseen" : "about", title: card.about }, card.about) : null;
    box.replaceChildren(...[head, about, body].filter(Boolean));
    if (isKpi(card) && card.about) box.title = card.about;
  };
  const failed = (error) => {
    if (!alive()) return;
    console.error(error);
    dress();
    body.replaceChildren(emptyNote("This card could not be drawn", String(error), "bad"));
    done("failed");
  };
  const draw = async (result) => {
    if (!alive()) return;
    dress();
    if (result === null) {
      body.append(emptyNote("Not in this file", "These filters were not asked for together; see above"));
      return done("absent");
    }
    if (result.error) {
      body.append(emptyNote("This card's SQL failed", result.error, "bad"));
      return done("failed");
    }
    const { rows } = result;
    if (!rows.length || rows.every((row) => row.every((value) => value === null))) {
      body.append(card.empty ? emptyNote(card.empty, filtered ? "With these filters" : null)
        : filtered ? emptyNote("Nothing matches the filters", "Choose others, or reset them")
        : emptyNote("No data yet", "The tables that this card reads hold no such rows"));
      return done("empty");
    }
    if (result.total > rows.length) {
      body.append(element("p", { class: "cut" }, `The first ${formatNumber(rows.length)} of ${formatNumber(result.total)} rows`));
    }
    const columns = columnsOf(card, result);
    if (card.plot) {
      head.append(element("button", { class: "as-table", type: "button", "aria-pressed": String(asTable), "aria-label": `${card.title} as a table`, onclick: toggle }, "Table"));
    }
    if (isKpi(card)) drawKpi(body, card, columns, rows);
    else if (rows.length === 1 && visibleColumns(card, columns).length === 1 && card.display === "table") {
      const [column] = visibleColumns(card, columns);
      body.append(element("p", { class: "sentence" }, formatValue(rows[0][column.index], column)));
    } else if (card.display === "object") drawObject(body, card, columns, rows);
    else if (card.plot && !asTable) {
      const holder = element("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart" });
      body.append(holder);
      const view = await drawChart(holder, card, columns, rows, { lands, follow }, alive);
      if (!view) return done("hidden");
      charts.set(cell, { token, view });
    } else {
      if (card.instead) body.append(element("p", { class: "cut" }, card.instead));
      drawTable(head, body, card, columns, rows, follow);
    }
    done("yes");
  };
  if (!box.childElementCount) dress();
  return answer.then(draw).catch(failed);
}
