// How texts, numbers, dates and names look, wherever on the page they stand.
// Every text of the data reaches the page through textContent, never as HTML.
const root = document.documentElement;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const isNumber = (column) => column.type === "integer" || column.type === "number";
const isTime = (column) => column.type === "date" || column.type === "timestamp";
const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const isDark = () => getComputedStyle(root).colorScheme === "dark";

// ------------------------------------------------------------------ numbers and dates
const numberForms = new Map();
function numberForm(options) {
  const key = JSON.stringify(options);
  if (!numberForms.has(key)) numberForms.set(key, new Intl.NumberFormat("en", options));
  return numberForms.get(key);
}

const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];
// One unit for all the numbers that stand together, by the largest of them: 0.9M beside 1.2M, never 900,000.
function unitOf(values, column, from = 1e6) {
  const largest = Math.max(0, ...values.filter((value) => value !== null).map((value) => Math.abs(value * (column.scale ?? 1))));
  const [size, letter] = (!column.plain && column.style !== "percent" && UNITS.find(([one]) => one >= from / 10 && largest >= Math.max(one, from))) || [1, ""];
  return { size, letter, largest };
}

function formatNumber(value, column = {}, unit = null) {
  const scaled = value * (column.scale ?? 1);
  const options = {};
  if (column.style === "percent") options.style = "percent";
  if (column.style === "currency") Object.assign(options, { style: "currency", currency: column.currency ?? "USD" });
  const size = Math.abs(scaled) * (column.style === "percent" ? 100 : 1);
  let letter = "";
  let shown = scaled;
  if (unit?.letter) {
    letter = unit.letter;
    shown = scaled / unit.size;
    const places = unit.largest / unit.size;
    options.minimumFractionDigits = options.maximumFractionDigits = places >= 100 ? 0 : places >= 10 ? 1 : 2;
  } else if (column.decimals !== undefined) {
    options.minimumFractionDigits = options.maximumFractionDigits = column.decimals;
  } else if (column.style === "currency") {
    options.maximumFractionDigits = size < 100 ? 2 : 0;
  } else {
    options.maximumFractionDigits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 || size === 0 ? 2 : 3;
  }
  return (column.prefix ?? "") + numberForm(options).format(shown).replace("-", "−") + letter + (column.suffix ?? "");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
function formatDate(text, withTime = true) {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  const date = `${day} ${MONTHS[month - 1]} ${year}`;
  return withTime && text.length > 10 ? `${date}, ${text.slice(11, 16)}` : date;
}

// TMDB sends some texts with HTML's entities in them. Each is read once, by itself, so that no markup can come of it.
const entities = new Map();
function plainText(text) {
  return text.replace(/&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});/gi, (entity) => {
    if (!entities.has(entity)) entities.set(entity, new DOMParser().parseFromString(entity, "text/html").body.textContent || entity);
    return entities.get(entity);
  });
}

function formatValue(value, column, unit = null) {
  if (value === null) return "–";
  if (isNumber(column)) return column.plain ? String(value) : formatNumber(value, column, unit);
  if (isTime(column) || (typeof value === "string" && /^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])$/.test(value))) return formatDate(value);
  if (column.type === "boolean") return value ? "yes" : "no";
  return plainText(String(value));
}

// ------------------------------------------------------------------ texts that must fit
const canvas = document.createElement("canvas").getContext("2d");
function textWidth(text, size) {
  canvas.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return canvas.measureText(text).width;
}
const widest = (texts, size) => Math.max(0, ...texts.map((text) => textWidth(text, size)));

// as much of the beginning as fits, with an ellipsis for the rest
function cut(letters, room, size) {
  if (textWidth(letters.join(""), size) <= room) return letters.join("");
  const beginning = (count) => `${letters.slice(0, count).join("").trimEnd()}…`;
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(beginning(middle), size) <= room) low = middle;
    else high = middle - 1;
  }
  return beginning(low);
}

// The texts, each cut to the room in px; where a cut would make two look the same, it spares what tells them apart.
function fitted(texts, room, size) {
  const all = texts.map((text) => [...text]);
  const short = all.map((letters) => cut(letters, room, size));
  const alike = () => {
    const groups = new Map();
    short.forEach((text, index) => groups.set(text, [...(groups.get(text) ?? []), index]));
    return [...groups.values()].filter((group) => new Set(group.map((index) => texts[index])).size > 1);
  };
  for (const group of alike()) {
    for (const index of group) {
      const letters = all[index];
      const shared = group.filter((other) => texts[other] !== texts[index]).map((other) => {
        const end = letters.findIndex((letter, place) => letter !== all[other][place]);
        return end < 0 ? letters.length : end;
      });
      const apart = Math.max(...shared);
      const tail = cut(letters.slice(apart), room * 0.7, size);
      const head = cut(letters.slice(0, apart), room - textWidth(tail, size), size);
      short[index] = head + tail;
    }
  }
  // three that differ in two places each may still look the same: then a number tells them apart
  for (const group of alike()) {
    group.forEach((index, place) => {
      const mark = ` #${place + 1}`;
      short[index] = cut(all[index], room - textWidth(mark, size), size) + mark;
    });
  }
  return short;
}

// ------------------------------------------------------------------ colours: a name has one, wherever it stands
const HUES = {
  light: ["#1f6f94", "#b9780f", "#c05b43", "#4f8a43", "#7d66a8", "#2a8a88", "#c0567e", "#857b6d", "#4a6fc4", "#85841c",
    "#0f4258", "#7a4e05", "#7c2f1d", "#2c5523", "#4b3672", "#14504f", "#7f2f50", "#4f483e", "#263f80", "#4f4e0c"],
  dark: ["#5fadd0", "#e9b765", "#e58a72", "#93c785", "#b39ddb", "#62c9c0", "#e59ab5", "#b8ad9e", "#8aa4e8", "#d0d36f",
    "#bfe3f3", "#f7e0b3", "#f6cdc2", "#d3ecc9", "#ddd1f2", "#c3efeb", "#f6d0dd", "#e6ddd0", "#ccd8fa", "#eef0bb"],
};
const palette = () => HUES[isDark() ? "dark" : "light"];
const DASHES = [[1, 0], [6, 3]]; // the second ten are shades of the first, so their lines are dashed

const places = new Map(); // column → name → place in the palette
// `names` in the order of their weight: the first ten get the ten hues, the next ten the shades, and so on. Within its ten
// a name's place is its own (FNV-1a), so that other films, days and filters leave it its colour.
function placesOf(column, names) {
  if (!places.has(column)) places.set(column, new Map());
  const known = places.get(column);
  const fresh = names.filter((one) => !known.has(one));
  while (fresh.length) {
    const first = Math.floor(known.size / 10) * 10;
    const taken = new Set([...known.values()].slice(first));
    for (const name of fresh.splice(0, 10 - taken.size).sort()) {
      let place = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0, 2166136261) % 10;
      while (taken.has((first % palette().length) + place)) place = (place + 1) % 10;
      known.set(name, (first % palette().length) + place);
      taken.add((first % palette().length) + place);
    }
  }
  return known;
}

// For the names of one chart: their places, no two the same while there are enough. Measures have them in their order.
function chartPlaces(column, names) {
  if (!column) return names.map((_, index) => index % palette().length);
  const known = placesOf(column.name, names);
  const used = new Set();
  return names.map((name) => {
    let place = known.get(name);
    while (used.has(place) && used.size < palette().length) place = (place + 1) % palette().length;
    used.add(place);
    return place;
  });
}

// commands in backquotes are set as code
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}
