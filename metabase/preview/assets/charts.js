// From a card and its rows to what Vega-Lite draws. Each `…Spec` returns
// { spec, tips: [{title, pairs}], along }: `tips` by the number that a mark's datum has in `tip` (its `row` is that of
// the answer, where it is of one), and `along` the direction ("x", "y" or null) in which the pointer finds the nearest mark when it is on none.

function config() {
  const axis = {
    domain: false, ticks: false, gridColor: colour("line"), labelColor: colour("faint"), titleColor: colour("faint"),
    labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", labelPadding: 7, titlePadding: 10, gridWidth: 1,
  };
  return {
    background: null, font: getComputedStyle(document.body).fontFamily, padding: { left: 0, top: 4, right: 2, bottom: 3 },
    view: { stroke: null }, axis, lineBreak: "\n",
    legend: {
      labelColor: colour("soft"), titleColor: colour("faint"), labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal",
      symbolType: "circle", symbolSize: 70, symbolStrokeWidth: 0, orient: "top", labelLimit: 0, offset: 8, columnPadding: 12,
    },
    range: { category: palette() }, bar: { color: palette()[0] }, line: { strokeWidth: 2.2 }, point: { color: palette()[0] },
  };
}

// the amounts of an axis, all in one unit; on a logarithmic axis each in its own
function axisOf(column, values, extra = {}, log = false) {
  if (column.style === "percent") return { format: "~%", ...extra };
  if (column.plain) return { format: "d", ...extra };
  const before = column.style === "currency" && (column.currency ?? "USD") === "USD" ? "$" : "";
  const unit = unitOf(values, column, 1e4);
  const value = `datum.value * ${column.scale ?? 1}`;
  // .9~g: without the noise of binary fractions, and without powers of ten where a number is not tiny
  const written = ([size, letter]) => `format(${value} / ${size}, ',.9~g') + '${letter}'`;
  const text = log
    ? UNITS.reduceRight((rest, one) => `abs(${value}) >= ${one[0]} ? ${written(one)} : (${rest})`, written([1, ""]))
    : written([unit.size, unit.letter]);
  return { labelExpr: `'${before}' + (abs(datum.value) < 1e-9 ? '0' : ${text})`, ...extra };
}

const moment = (text) => Date.parse(text.length > 10 && !/(Z|[+-]\d\d(:?\d\d)?)$/.test(text) ? `${text}Z` : text);
function timeFormat(moments, column) {
  const days = (Math.max(...moments) - Math.min(...moments)) / 864e5;
  if (days > 800) return "%Y";
  if (days > 120) return "%b %Y";
  if (column.type === "date" || days >= 3) return "%-d %b";
  return days > 0.01 ? "%H:%M" : "%H:%M:%S";
}
const ticks = (length, each) => Math.max(2, Math.floor(length / each));

// rows as objects: d = dimension, s = series, v0… = values, tip = the row's number
function chartRows(card, columns, rows) {
  const settings = card.settings;
  const byName = (names) => (names ?? []).map((name) => columns.find((column) => column.name === name)).filter(Boolean);
  let dimensions = byName(settings["graph.dimensions"]);
  let metrics = byName(settings["graph.metrics"]);
  if (!metrics.length) metrics = columns.filter((column) => isNumber(column) && !dimensions.includes(column));
  if (!dimensions.length) dimensions = columns.filter((column) => !metrics.includes(column)).slice(0, 2);
  if (!dimensions.length) {
    dimensions = metrics.slice(0, 1);
    metrics = metrics.slice(1);
  }
  const [x, series] = dimensions;
  // newest first is as good an answer; a chart goes from left to right
  const ordered = isTime(x) ? rows.filter((row) => row[x.index] !== null).sort((a, b) => moment(a[x.index]) - moment(b[x.index])) : rows;
  const place = new Map(rows.map((row, number) => [row, number]));
  const data = ordered.map((row, tip) => {
    const datum = { row: place.get(row), d: isTime(x) ? moment(row[x.index]) : isNumber(x) ? row[x.index] : formatValue(row[x.index], x), tip };
    if (series) datum.s = formatValue(row[series.index], series);
    metrics.forEach((metric, number) => (datum[`v${number}`] = row[metric.index]));
    return datum;
  });
  const tips = ordered.map((row) => ({
    title: formatValue(row[x.index], x),
    pairs: series
      ? [[formatValue(row[series.index], series), formatValue(row[metrics[0].index], metrics[0])]]
      : metrics.map((metric) => [metric.title, formatValue(row[metric.index], metric)]),
  }));
  return { x, series, metrics, data, tips };
}

// one row a value: `s` is the series, or the metric's title
function long({ series, metrics, data }) {
  if (series) return data.map((datum) => ({ ...datum, v: datum.v0 }));
  return data.flatMap((datum) => metrics.map((metric, number) => ({ ...datum, s: metric.title, v: datum[`v${number}`] })));
}

// `column` names what the names are names of: one genre has one colour on every card
function seriesColour(column, names, width, legend = {}) {
  const chosen = chartPlaces(column, names);
  const labels = fitted(names, Math.min(150, width - 40), 11.5);
  const each = widest(labels, 11.5) + 34;
  return {
    field: "s", type: "nominal", sort: null, scale: { domain: names, range: chosen.map((place) => palette()[place]) },
    legend: names.length > 1 ? {
      title: null, columns: Math.max(1, Math.floor(width / each)), labelLimit: 150,
      labelExpr: `${JSON.stringify(Object.fromEntries(names.map((name, index) => [name, labels[index]]))).replace(/[\u2028\u2029]/g, " ")}[datum.value] || datum.label`,
      ...legend,
    } : null,
  };
}
const dashesOf = (column, names) => chartPlaces(column, names).map((place) => DASHES[place >= 10 ? 1 : 0]);

function lineSpec(card, parts, size) {
  const { x, series, metrics, tips } = parts;
  const rows = long(parts);
  const last = new Map(rows.map((datum) => [datum.s, datum.v]));
  const area = card.display === "area";
  const stacked = area && card.settings["stackable.stack_type"];
  const names = [...last.keys()];
  // the legend in the order in which the lines end
  if (!stacked) names.sort((a, b) => (last.get(b) ?? -Infinity) - (last.get(a) ?? -Infinity));
  // one tooltip of all series at each place of the x axis
  const at = new Map();
  for (const datum of rows) {
    if (!at.has(datum.d)) at.set(datum.d, { place: at.size, title: tips[datum.tip].title, found: [] });
    if (datum.v !== null) at.get(datum.d).found.push([datum.s, datum.v, series ? metrics[0] : metrics.find((metric) => metric.title === datum.s)]);
    datum.tip = at.get(datum.d).place;
  }
  const allTips = [...at.values()].map(({ title, found }) => ({
    title, pairs: found.sort((a, b) => b[1] - a[1]).slice(0, 12).map(([name, value, metric]) => [name, formatValue(value, metric)]),
  }));
  const numbers = rows.map((datum) => datum.v).filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const unpinned = card.settings["graph.y_axis.unpin_from_zero"] === true && !stacked;
  // what stands still is a line in the middle, not a zoom into nothing
  const margin = Math.max((high - low) * 0.6, metrics[0].type === "integer" ? 2 : Math.abs(high) * 0.02 || 1);
  const xAxis = { grid: false, title: card.settings["graph.x_axis.title_text"] || null, labelOverlap: true, labelBound: true, labelFlush: true };
  const moments = isTime(x) ? [...at.keys()] : [];
  if (isTime(x)) {
    xAxis.format = timeFormat(moments, x);
    xAxis.tickCount = ticks(size.width, 90);
    if (x.type === "date" && moments.length <= 8) {
      xAxis.values = moments.map((place) => {
        const date = new Date(place);
        return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, date: date.getUTCDate(), utc: true };
      });
    }
  } else if (isNumber(x)) Object.assign(xAxis, { format: "d", tickCount: ticks(size.width, 90) });
  const type = isTime(x) ? "temporal" : isNumber(x) ? "quantitative" : "ordinal";
  const encoding = {
    x: { field: "d", type, sort: null, axis: xAxis, ...(isTime(x) ? { scale: { type: "utc" } } : type === "quantitative" ? { scale: { zero: false, nice: false } } : {}) },
    y: {
      field: "v", type: "quantitative", stack: stacked ? (stacked === "normalized" ? "normalize" : "zero") : null,
      axis: axisOf(stacked === "normalized" ? { style: "percent" } : metrics[0], numbers, {
        title: card.settings["graph.y_axis.title_text"] || null, tickCount: ticks(size.height, 55),
        // thousands that differ in their last digits only are written out
        ...(high >= 1e4 && high - low < high * 0.05 && unpinned ? { labelExpr: "format(datum.value, ',d')" } : {}),
      }),
      scale: unpinned && high - low < Math.abs(high) * 0.02 ? { domain: [low - margin, high + margin], nice: true } : { zero: !unpinned, nice: true },
    },
    color: seriesColour(series, names, size.width, area ? {} : { symbolType: "stroke", symbolStrokeWidth: 2.4, symbolSize: 130 }),
  };
  const dashes = dashesOf(series, names);
  const dashed = !area && names.length > 1 && dashes.some((dash) => dash[1]);
  if (dashed) encoding.strokeDash = { field: "s", type: "nominal", sort: null, scale: { domain: names, range: dashes }, legend: encoding.color.legend };
  // between two days nothing was measured, so the line goes straight
  const mark = area ? { type: "area", opacity: stacked ? 0.75 : 0.18, line: { strokeWidth: 2 } } : { type: "line", strokeCap: "butt", strokeJoin: "round" };
  const { strokeDash: _, ...pointEncoding } = encoding;
  return {
    tips: allTips, along: "x", lines: true,
    spec: {
      data: { values: rows },
      encoding: pointEncoding,
      layer: [
        { mark, ...(dashed ? { encoding: { strokeDash: encoding.strokeDash } } : {}) },
        // one day alone is a point; else the points are shown by the pointer
        { mark: { type: "point", filled: true, size: at.size === 1 ? 70 : 55, opacity: at.size === 1 ? 1 : 0 } },
      ],
    },
  };
}

// names under bars: side by side, else in lines, else aslant; each as far as it fits
function underBars(names, slot) {
  const words = names.map((name) => name.replace(/\s+/g, "\n"));
  if (widest(names, 11) <= slot - 6) return { labels: names, axis: { labelAngle: 0, labelOverlap: false } };
  if (widest(words.flatMap((text) => text.split("\n")), 11) <= slot - 4 && words.every((text) => text.split("\n").length <= 3)) {
    return { labels: words, axis: { labelAngle: 0, labelOverlap: false } };
  }
  return { labels: fitted(names, 96, 11), axis: { labelAngle: -40, labelOverlap: slot < 13 } };
}

// the same text twice stays two bars: what tells them apart has no width
function unique(labels) {
  const seen = new Map();
  return labels.map((label) => {
    const nth = seen.get(label) ?? 0;
    seen.set(label, nth + 1);
    return label + "\u200b".repeat(nth);
  });
}

function barSpec(card, parts, size, flat) {
  const { x, series, metrics, data, tips } = parts;
  const grouped = Boolean(series) || metrics.length > 1;
  const rows = long(parts);
  const series_ = [...new Set(rows.map((datum) => datum.s))];
  const stackType = card.settings["stackable.stack_type"];
  const stack = series || stackType ? (stackType === "normalized" ? "normalize" : "zero") : null;
  const metric = metrics[0];
  const values = rows.map((datum) => datum.v);
  const unit = unitOf(values, metric);
  const known = [...new Set(series ? data.map((datum) => datum.d) : data.map((_, index) => index))];
  const withValues = !grouped && (flat || (card.settings["graph.show_values"] === true && size.width / known.length > 34));
  const category = {
    field: "d", type: isTime(x) && !flat ? "ordinal" : "nominal", sort: null,
    scale: { paddingInner: known.length > 60 ? 0.05 : 0.28, paddingOuter: 0.1 },
    axis: { grid: false, title: card.settings["graph.x_axis.title_text"] || null, labelLimit: 0, labelFontSize: flat ? 12.5 : 11, labelFlush: false },
  };
  const names = series ? known.map(String) : data.map((datum) => String(datum.d));
  let wide = size.width;
  if (isTime(x)) {
    const form = timeFormat(data.map((datum) => datum.d), x);
    Object.assign(category.axis, { labelExpr: `utcFormat(datum.value, '${form}')`, labelAngle: 0, labelOverlap: !flat, labelSeparation: 10 });
  } else if (isNumber(x)) Object.assign(category.axis, { labelAngle: 0, labelOverlap: !flat });
  else {
    const axisRoom = withValues ? 4 : widest(values.map((value) => formatValue(value, metric, unit)), 11.5) + 16;
    const { labels, axis } = flat
      ? { labels: fitted(names, Math.max(90, Math.min(230, size.width * 0.4)), 12.5), axis: { labelColor: colour("soft"), labelOverlap: false } }
      : underBars(names, (size.width - axisRoom) / names.length);
    Object.assign(category.axis, axis);
    if (flat) wide -= widest(labels, 12.5) + 12;
    const shown = unique(labels);
    const labelOf = new Map(known.map((name, index) => [name, shown[index]]));
    rows.forEach((datum) => (datum.d = labelOf.get(series ? datum.d : datum.tip)));
  }
  const value = {
    field: "v", type: "quantitative", stack,
    axis: withValues ? null : axisOf(stack === "normalize" ? { style: "percent" } : metric, values, {
      title: card.settings["graph.y_axis.title_text"] || null, tickCount: flat ? ticks(size.width, 90) : ticks(size.height, 55),
    }),
  };
  if (withValues) {
    const most = Math.max(0, ...values);
    const texts = values.map((one) => formatValue(one, metric, unit));
    // room for the longest number after the longest bar
    const room = flat ? widest(texts, 11.5) + 10 : 22;
    const length = flat ? wide : size.height - 40;
    if (most > 0) value.scale = { domainMax: (most * length) / Math.max(length - room, length / 3), nice: false };
    else if (values.every((one) => !one)) value.scale = { domain: [0, 1] };
    rows.forEach((datum, index) => (datum.label = texts[index]));
  }
  const encoding = { [flat ? "y" : "x"]: category, [flat ? "x" : "y"]: value };
  if (grouped) {
    encoding.color = seriesColour(series, series_, size.width);
    if (!stack) encoding[flat ? "yOffset" : "xOffset"] = { field: "s", sort: null };
  }
  const layer = [{ mark: { type: "bar", cornerRadiusEnd: stack && grouped ? 0 : 3, cursor: "default" }, encoding }];
  if (withValues) {
    layer.push({
      mark: { type: "text", fontSize: 11.5, color: colour("soft"), ...(flat ? { align: "left", dx: 6 } : { baseline: "bottom", dy: -4 }) },
      encoding: { ...encoding, text: { field: "label" } },
    });
  }
  return { tips, along: flat ? "y" : "x", step: flat ? 24 : 0, count: known.length, spec: { data: { values: rows }, layer } };
}

function comboSpec(card, parts, size) {
  const { x, metrics, tips, data } = parts;
  const shape = (metric, number) => card.settings.series_settings?.[metric.name]?.display ?? (number ? "line" : "bar");
  const titles = metrics.map((metric) => metric.title);
  const { scale, legend } = seriesColour(null, titles, size.width);
  const axis = { grid: false, title: card.settings["graph.x_axis.title_text"] || null, labelAngle: 0, labelOverlap: true, labelFontSize: 11 };
  if (isTime(x)) axis.labelExpr = `utcFormat(datum.value, '${timeFormat(data.map((datum) => datum.d), x)}')`;
  else if (!isNumber(x)) {
    const under = underBars(data.map((datum) => datum.d), (size.width - 90) / data.length);
    const labels = unique(under.labels);
    data.forEach((datum, index) => (datum.d = labels[index]));
    Object.assign(axis, under.axis, { labelLimit: 0 });
  }
  return {
    tips, along: "x",
    spec: {
      data: { values: data },
      // two measures of two sizes have an axis each, left and right
      resolve: { scale: { y: metrics.length === 2 ? "independent" : "shared" } },
      layer: metrics.map((metric, number) => ({
        mark: shape(metric, number) === "bar" ? { type: "bar", cornerRadiusEnd: 3, opacity: 0.85 }
          : shape(metric, number) === "area" ? { type: "area", opacity: 0.3, line: true, point: { size: 30, filled: true } }
          : { type: "line", point: { size: 30, filled: true } },
        encoding: {
          x: { field: "d", type: "ordinal", sort: null, axis },
          y: {
            field: `v${number}`, type: "quantitative",
            axis: axisOf(metric, data.map((datum) => datum[`v${number}`]), { title: metrics.length === 2 ? metric.title : null, grid: number === 0, tickCount: ticks(size.height, 55) }),
          },
          color: { datum: metric.title, type: "nominal", scale, legend },
        },
      })),
    },
  };
}

function scatterSpec(card, columns, rows, size) {
  const named = (key) => (card.settings[key] ?? []).map((name) => columns.find((column) => column.name === name)).filter(Boolean);
  const measurable = (column) => isNumber(column) || isTime(column);
  const [x, series] = named("graph.dimensions").length ? named("graph.dimensions") : columns.filter(measurable);
  const y = named("graph.metrics")[0] ?? columns.find((column) => measurable(column) && column !== x);
  const bubble = columns.find((column) => column.name === card.settings["scatter.bubble"]);
  const label = columns.find((column) => column.type === "text" && column !== x && column !== series);
  const tips = rows.map((row) => ({
    title: label ? formatValue(row[label.index], label) : formatValue(row[x.index], x),
    pairs: columns.filter((column) => column !== label).map((column) => [column.title, formatValue(row[column.index], column)]),
  }));
  const placeOf = (row, column) => (isTime(column) && row[column.index] !== null ? moment(row[column.index]) : row[column.index]);
  const axis = (column, direction) => {
    const numbers = rows.map((row) => placeOf(row, column)).filter((value) => value !== null).sort((a, b) => a - b);
    const extra = {
      title: card.settings[`graph.${direction}_axis.title_text`] || column.title,
      tickCount: ticks(direction === "x" ? size.width : size.height, 80),
    };
    if (isTime(column)) return { type: "temporal", scale: { type: "utc", nice: false }, axis: { format: timeFormat(numbers, column), labelOverlap: true, ...extra } };
    if (!isNumber(column)) return { type: "nominal", sort: null, axis: { labelAngle: 0, labelOverlap: true, ...extra } };
    // sizes that span powers of ten would lie on one another at the lower end
    const skewed = numbers.length > 4 && numbers[0] > 0 && numbers.at(-1) / numbers[Math.floor(numbers.length / 2)] > 25;
    return { type: "quantitative", scale: skewed ? { type: "log", nice: true } : { zero: false, nice: true }, axis: axisOf(column, numbers, extra, skewed) };
  };
  const encoding = { x: { field: "x", ...axis(x, "x") }, y: { field: "y", ...axis(y, "y") } };
  if (bubble) encoding.size = { field: "z", type: "quantitative", legend: null, scale: { range: [20, 500] } };
  if (series) encoding.color = seriesColour(series, [...new Set(rows.map((row) => formatValue(row[series.index], series)))], size.width);
  const values = rows.map((row, tip) => ({
    x: placeOf(row, x), y: placeOf(row, y), tip, row: tip, ...(bubble ? { z: row[bubble.index] } : {}), ...(series ? { s: formatValue(row[series.index], series) } : {}),
  })).filter((datum) => datum.x !== null && datum.y !== null);
  return { tips, along: null, spec: { data: { values }, mark: { type: "circle", opacity: 0.6, ...(bubble ? {} : { size: 55 }) }, encoding } };
}

const MOST_SLICES = 12;
function pieSpec(card, columns, rows, size) {
  const named = [card.settings["pie.dimension"]].flat()[0];
  const dimension = columns.find((column) => column.name === named) ?? columns.find((column) => !isNumber(column));
  const metric = columns.find((column) => column.name === card.settings["pie.metric"]) ?? columns.find(isNumber);
  const slices = rows.map((row, number) => ({ row: number, name: formatValue(row[dimension.index], dimension), v: Math.max(0, row[metric.index] ?? 0) })).sort((a, b) => b.v - a.v);
  if (slices.length > MOST_SLICES) {
    const rest = slices.splice(MOST_SLICES - 1);
    slices.push({ name: `${rest.length} others`, v: rest.reduce((sum, slice) => sum + slice.v, 0) });
  }
  const total = slices.reduce((sum, slice) => sum + slice.v, 0);
  const share = (value) => formatNumber(value / (total || 1), { style: "percent", decimals: 1 });
  const unit = unitOf([total], metric);
  const names = slices.map((slice) => slice.name);
  const wide = size.width > size.height * 1.25;
  const labels = unique(fitted(names, wide ? size.width * 0.3 : size.width - 120, 11.5)).map((name, index) => `${name} · ${formatValue(slices[index].v, metric, unit)} · ${share(slices[index].v)}`);
  const beside = widest(labels, 11.5) + 40;
  const radius = Math.max(30, Math.min(size.height - (wide ? 8 : labels.length * 16 + 20), size.width - (wide ? beside : 8)) / 2);
  return {
    along: null,
    tips: slices.map((slice) => ({ title: slice.name, pairs: [[metric.title, formatValue(slice.v, metric)], ["Share", share(slice.v)]] })),
    spec: {
      data: { values: slices.map((slice, tip) => ({ s: labels[tip], v: slice.v, tip, row: slice.row })) },
      layer: [
        {
          mark: { type: "arc", innerRadius: radius * 0.6, outerRadius: radius, padAngle: 0.015, cornerRadius: 2 },
          encoding: {
            theta: { field: "v", type: "quantitative", stack: true }, order: { field: "tip" },
            color: {
              field: "s", type: "nominal", sort: null,
              scale: { domain: labels, range: chartPlaces(dimension, names).map((place) => palette()[place]) },
              legend: { title: null, orient: wide ? "right" : "bottom", columns: 1, labelLimit: 0 },
            },
          },
        },
        { data: { values: [{ total: formatValue(total, metric, unit) }] }, mark: { type: "text", fontSize: Math.min(22, radius * 0.3), color: colour("ink") }, encoding: { text: { field: "total" } } },
      ],
    },
  };
}

// where a country lies, and how many degrees wide or high it is at most
function extentOf(feature) {
  const points = feature.geometry.coordinates.flat(feature.geometry.type === "MultiPolygon" ? 2 : 1);
  const [lons, lats] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  return { lat: (south + north) / 2, lon: (west + east) / 2, degrees: Math.max(east - west, north - south) };
}

function mapSpec(card, columns, rows, size, { world, spots }) {
  const dimension = columns.find((column) => column.name === card.settings["map.dimension"]) ?? columns.find((column) => !isNumber(column));
  const metric = columns.find((column) => column.name === card.settings["map.metric"]) ?? columns.find(isNumber);
  const label = columns.find((column) => column.type === "text" && column !== dimension);
  const tips = rows.map((row) => ({
    title: formatValue(row[(label ?? dimension).index], label ?? dimension),
    pairs: columns.filter((column) => column !== dimension && column !== label).map((column) => [column.title, formatValue(row[column.index], column)]),
  }));
  const values = rows.map((row, tip) => ({ code: row[dimension.index], v: row[metric.index], tip, row: tip })).filter((datum) => datum.v !== null);
  const shapes = new Map(world.features.map((feature) => [feature.id, feature]));
  // a dot for what has no shape at this scale, and for a shape of fewer than about six pixels
  const dots = values.map((datum) => {
    const feature = shapes.get(datum.code);
    const at = feature ? extentOf(feature) : spots[datum.code] && { lat: spots[datum.code][0], lon: spots[datum.code][1], degrees: 0 };
    return at && (at.degrees * size.width) / 360 < 6 ? { ...datum, ...at } : null;
  }).filter(Boolean);
  // none is the colour of land, one is well away from it
  const some = values.filter((datum) => datum.v !== 0).map((datum) => datum.v).sort((a, b) => a - b);
  const [low, high] = [some[0] ?? 0, some.at(-1) ?? 1];
  const skewed = low >= 0 && high > 20 && high / Math.max(1, some[Math.floor(some.length / 2)]) > 8;
  const land = isDark() ? "#2b3848" : "#e4e8ec";
  const range = isDark() ? ["#2f7090", "#5aaccf", "#c9effc"] : ["#9fcbe0", "#3f8db1", "#0a3d57"];
  const legend = some.length ? {
    title: metric.title, orient: "bottom-left", direction: "horizontal", gradientLength: Math.min(170, size.width * 0.4), gradientThickness: 8, offset: 0,
    ...axisOf(metric, some, {}, skewed),
    ...(low === high ? { values: [low] } : skewed ? { values: [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].filter((tick) => tick >= low && tick <= high) } : { tickCount: 3 }),
  } : null;
  const color = {
    condition: { test: "datum.v === 0", value: land },
    field: "v", type: "quantitative", legend,
    scale: {
      type: !skewed ? "linear" : low > 0 ? "log" : "symlog", range, interpolate: "lab", clamp: true, nice: false,
      domain: low === high ? [Math.min(low, high - 1), high] : [low, high],
    },
  };
  const edge = { stroke: colour("card"), strokeWidth: 0.6 };
  return {
    tips, along: null,
    spec: {
      projection: { type: "equalEarth" },
      layer: [
        { data: { values: world.features }, mark: { type: "geoshape", fill: land, ...edge } },
        {
          data: { values: world.features },
          transform: [{ lookup: "id", from: { data: { values }, key: "code", fields: ["v", "tip", "row"] } }, { filter: "isValid(datum.v)" }],
          mark: { type: "geoshape", ...edge }, encoding: { color },
        },
        ...(dots.length ? [{
          data: { values: dots },
          mark: { type: "circle", size: size.width < 500 ? 22 : 38, stroke: colour("card"), strokeWidth: 0.8, opacity: 1 },
          encoding: { longitude: { field: "lon", type: "quantitative" }, latitude: { field: "lat", type: "quantitative" }, color },
        }] : []),
      ],
    },
  };
}

function specOf(card, columns, rows, size, lands) {
  if (card.display === "map") return mapSpec(card, columns, rows, size, lands);
  if (card.display === "pie") return pieSpec(card, columns, rows, size);
  if (card.display === "scatter") return scatterSpec(card, columns, rows, size);
  const parts = chartRows(card, columns, rows);
  if (card.display === "line" || card.display === "area") return lineSpec(card, parts, size);
  if (card.display === "combo") return comboSpec(card, parts, size);
  return barSpec(card, parts, size, card.display === "row");
}
