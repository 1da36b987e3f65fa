"use strict";
// The page's own program: tabs, filters, tables and the specifications of the charts, which Vega-Lite draws.
// Every text of the data reaches the page through textContent, never as HTML.
(async () => {
  const root = document.documentElement;
  const page = await unpacked(document.getElementById("page-data").textContent);
  const world = page.world;
  const charts = new Map(); // card element → { draw, view }
  const state = page.dashboards.map((dashboard) => ({
    tab: 0,
    chosen: Object.fromEntries(dashboard.filters.map((filter) => [filter.slug, filter.default])),
  }));
  let shown = 0;

  // the data: JSON, gzip, base64
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // ------------------------------------------------------------------ small helpers
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

  const numberForms = new Map();
  function numberForm(options) {
    const key = JSON.stringify(options);
    if (!numberForms.has(key)) numberForms.set(key, new Intl.NumberFormat("en", options));
    return numberForms.get(key);
  }

  function formatNumber(value, column = {}, compact = false) {
    const scaled = value * (column.scale ?? 1);
    const options = {};
    if (column.style === "percent") options.style = "percent";
    if (column.style === "currency") {
      options.style = "currency";
      options.currency = column.currency ?? "USD";
    }
    const size = Math.abs(scaled) * (column.style === "percent" ? 100 : 1);
    if (compact && size >= 1e6) {
      options.notation = "compact";
      options.maximumFractionDigits = 2;
    } else if (compact && size >= 1e4 && column.style !== "percent" && column.type !== "integer") {
      options.maximumFractionDigits = 0;
    } else if (column.decimals !== undefined) {
      options.minimumFractionDigits = options.maximumFractionDigits = column.decimals;
    } else if (column.style === "currency") {
      options.maximumFractionDigits = size < 100 ? 2 : 0;
    } else {
      options.maximumFractionDigits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 || size === 0 ? 2 : 3;
    }
    return (column.prefix ?? "") + numberForm(options).format(scaled).replace("-", "−") + (column.suffix ?? "");
  }

  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function formatDate(text, long = false) {
    const [year, month, day] = text.slice(0, 10).split("-").map(Number);
    const date = `${day} ${months[month - 1]} ${year}`;
    return !long && text.length > 10 ? `${date}, ${text.slice(11, 16)}` : date;
  }

  function formatValue(value, column, compact = false) {
    if (value === null) return "–";
    if (column.type === "integer" || column.type === "number") {
      return column.plain ? String(value) : formatNumber(value, column, compact);
    }
    if (column.type === "date" || column.type === "timestamp") return formatDate(value);
    if (column.type === "boolean") return value ? "yes" : "no";
    return String(value);
  }

  const isNumber = (column) => column.type === "integer" || column.type === "number";
  const isTime = (column) => column.type === "date" || column.type === "timestamp";
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const isDark = () => getComputedStyle(root).colorScheme === "dark";

  function palette() {
    return isDark()
      ? ["#5fadd0", "#e9b765", "#e58a72", "#93c785", "#b39ddb", "#62c9c0", "#e59ab5", "#b8ad9e", "#8aa4e8", "#d0d36f"]
      : ["#1f6f94", "#d9962f", "#c05b43", "#5f9652", "#7d66a8", "#3b9c9a", "#c56a8c", "#857b6d", "#4a6fc4", "#9c9a2f"];
  }

  // ------------------------------------------------------------------ what a card shows under the chosen filters
  function resultOf(index, card) {
    const dashboard = page.dashboards[index];
    const key = dashboard.filters
      .filter(({ slug, default: normal }) => card.filters.includes(slug) && state[index].chosen[slug] !== normal)
      .map(({ slug }) => `${slug}=${state[index].chosen[slug]}`)
      .join("&");
    return key in card.results ? page.results[card.results[key]] : null;
  }

  function columnsOf(card, result) {
    return result.columns.map((column, index) => {
      const made = { ...column, ...(card.columns[column.name] ?? {}), index };
      // numbers of one column stand under one another, so they have as many decimals
      if (made.type === "number" && made.decimals === undefined && !made.style) {
        const places = result.rows.map((row) => (row[index] === null ? 0 : (String(row[index]).split(".")[1] ?? "").length));
        made.decimals = Math.min(2, Math.max(0, ...places));
      }
      return made;
    });
  }

  // ------------------------------------------------------------------ tooltip
  const tip = document.body.appendChild(element("div", { class: "tip", role: "status", hidden: true }));
  function showTip(event, lines) {
    tip.replaceChildren(
      element("b", {}, lines.title),
      ...lines.pairs.map(([name, value]) => element("div", {}, element("span", {}, name), element("span", {}, value))),
    );
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = event.clientX + 14 + box.width > innerWidth - 6 ? event.clientX - 14 - box.width : event.clientX + 14;
    const top = event.clientY + 14 + box.height > innerHeight - 6 ? event.clientY - 14 - box.height : event.clientY + 14;
    tip.style.transform = `translate(${Math.max(6, left)}px, ${Math.max(6, top)}px)`;
  }
  const hideTip = () => (tip.hidden = true);

  // ------------------------------------------------------------------ charts: Vega-Lite specifications
  const COMPACT = "replace(replace(format(datum.value, '~s'), 'G', 'B'), 'k', 'K')";

  // the number of the row's tooltip, as an object: a bare 0 counts as no tooltip with Vega
  const TIP = [{ field: "tip", type: "nominal", title: "tip" }];

  function config() {
    const axis = {
      domain: false, ticks: false, gridColor: colour("line"), labelColor: colour("faint"), titleColor: colour("faint"),
      labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", labelPadding: 7, titlePadding: 10, gridWidth: 1,
    };
    return {
      background: null, font: getComputedStyle(document.body).fontFamily, padding: { left: 0, top: 4, right: 2, bottom: 3 },
      view: { stroke: null }, axis,
      legend: {
        labelColor: colour("soft"), titleColor: colour("faint"), labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal",
        symbolType: "circle", symbolSize: 70, symbolStrokeWidth: 0, orient: "top", labelLimit: 130, offset: 8, columnPadding: 12,
      },
      range: { category: palette() }, bar: { color: palette()[0] }, line: { strokeWidth: 2.2 },
    };
  }

  function axisFormat(column, extra = {}) {
    if (column.style === "percent") return { format: "~%", ...extra };
    if (column.plain) return { format: "d", ...extra };
    const before = column.style === "currency" ? "'$' + " : "";
    return { labelExpr: before + COMPACT, ...extra };
  }

  // rows as objects: d = dimension, s = series, v0… = values; `tip` = the index of the row's tooltip
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
    const tips = [];
    const seen = new Map();
    const data = rows.map((row) => {
      const name = formatValue(row[x.index], x);
      // two things of one name are two bars: what tells them apart has no width
      const nth = series ? 0 : seen.get(name) ?? 0;
      seen.set(name, nth + 1);
      const pairs = series
        ? [[formatValue(row[series.index], series), formatValue(row[metrics[0].index], metrics[0])]]
        : metrics.map((metric) => [metric.title, formatValue(row[metric.index], metric)]);
      const datum = { d: isTime(x) ? `${row[x.index]}` : isNumber(x) ? row[x.index] : name + "\u200b".repeat(nth), tip: tips.length };
      if (series) datum.s = formatValue(row[series.index], series);
      metrics.forEach((metric, number) => (datum[`v${number}`] = row[metric.index]));
      tips.push({ title: name, pairs });
      return datum;
    });
    return { x, series, metrics, data, tips };
  }

  // long form: one row a value, `s` = the metric's title
  function folded(metrics, data) {
    return data.flatMap((datum) => metrics.map((metric, number) => ({ d: datum.d, s: metric.title, v: datum[`v${number}`], tip: datum.tip })));
  }

  const seriesColour = (names, width) => ({
    field: "s", type: "nominal", sort: null,
    scale: { domain: names, range: names.map((_, index) => palette()[index % palette().length]) },
    // as many in a line as fit: about 6.5 px a letter, 34 for the symbol and the gap
    legend: names.length > 1
      ? { title: null, columns: Math.max(2, Math.floor(width / (Math.min(130, Math.max(...names.map((name) => name.length)) * 6.5) + 34))) }
      : null,
  });

  function lineSpec(card, parts, size) {
    const { x, series, metrics, data, tips } = parts;
    const long = series ? data.map((datum) => ({ ...datum, v: datum.v0 })) : folded(metrics, data);
    const last = new Map(long.map((datum) => [datum.s, datum.v]));
    const area = card.display === "area";
    const stacked = area && card.settings["stackable.stack_type"];
    const names = [...last.keys()];
    // the legend in the order in which the lines end
    if (!stacked) names.sort((a, b) => (last.get(b) ?? -Infinity) - (last.get(a) ?? -Infinity));
    // a tooltip of all series at one place on the x axis
    const at = new Map();
    long.forEach((datum) => {
      if (!at.has(datum.d)) at.set(datum.d, { title: tips[datum.tip].title, pairs: [] });
      if (datum.v !== null) at.get(datum.d).pairs.push([datum.s, formatValue(datum.v, series ? metrics[0] : metrics.find((metric) => metric.title === datum.s))]);
    });
    const places = [...at.keys()];
    const allTips = places.map((place) => {
      const lines = at.get(place);
      return { title: lines.title, pairs: lines.pairs.slice(0, 12) };
    });
    const type = isTime(x) ? "temporal" : isNumber(x) ? "quantitative" : "ordinal";
    const values = long.map((datum) => ({ ...datum, place: places.indexOf(datum.d) }));
    const numbers = long.map((datum) => datum.v).filter((value) => value !== null);
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const percent = metrics[0].style === "percent";
    const unpinned = card.settings["graph.y_axis.unpin_from_zero"] === true;
    // a film whose rating stands still is a line in the middle, not a zoom into nothing
    const margin = Math.max((high - low) * 0.6, metrics[0].type === "integer" ? 2 : Math.abs(high) * 0.02 || 1);
    const xAxis = { grid: false, title: null, labelOverlap: true, labelBound: true, labelFlush: true, tickCount: Math.max(2, Math.floor(size.width / 90)) };
    if (isTime(x)) {
      const moments = places.map((place) => Date.parse(place));
      const days = (Math.max(...moments) - Math.min(...moments)) / 864e5;
      xAxis.format = days > 800 ? "%Y" : days > 120 ? "%b %Y" : x.type === "date" || days >= 3 ? "%-d %b" : days > 0.01 ? "%H:%M" : "%H:%M:%S";
      if (x.type === "date" && places.length <= 8) {
        xAxis.values = moments.map((moment) => {
          const date = new Date(moment);
          return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, date: date.getUTCDate(), utc: true };
        });
      }
    } else if (x.plain || isNumber(x)) xAxis.format = "d";
    const encoding = {
      x: { field: "d", type, axis: xAxis, ...(isTime(x) ? { scale: { type: "utc" } } : type === "quantitative" ? { scale: { zero: false, nice: false } } : {}) },
      y: {
        field: "v", type: "quantitative", stack: stacked ? (stacked === "normalized" ? "normalize" : "zero") : null,
        axis: axisFormat(stacked === "normalized" ? { style: "percent" } : metrics[0], {
          title: card.settings["graph.y_axis.title_text"] || null, tickCount: Math.max(2, Math.floor(size.height / 55)),
          // thousands that differ in their last digits only are written out
          ...(high >= 1e3 && high - low < high * 0.05 && unpinned ? { labelExpr: "format(datum.value, ',d')" } : {}),
        }),
        // a line shows change, so it needn't start at zero; an area shows a size, so it must
        scale: unpinned && high - low < Math.abs(high) * 0.02
          ? { domain: [low - margin, high + margin], nice: true }
          : { zero: !unpinned && (area || percent || low <= 0 || (high - low) / high > 0.6), nice: true },
      },
      color: seriesColour(names, size.width),
    };
    const few = places.length === 1;
    const mark = area
      ? { type: "area", opacity: stacked ? 0.75 : 0.18, line: { strokeWidth: 2 }, interpolate: "monotone" }
      : { type: "line", interpolate: "monotone", strokeCap: "round" };
    return {
      tips: allTips,
      spec: {
        data: { values },
        encoding,
        layer: [
          { mark: { ...mark, tooltip: null } },
          ...(few ? [{ mark: { type: "point", filled: true, size: 60, opacity: 1 } }] : []),
          {
            params: [{ name: "near", select: { type: "point", on: "pointerover", clear: "pointerout", nearest: true, fields: ["place"] } }],
            mark: { type: "point", filled: true, size: 55 },
            encoding: {
              opacity: { condition: { param: "near", empty: false, value: 1 }, value: 0 },
              tooltip: [{ ...TIP[0], field: "place" }],
            },
          },
        ],
      },
    };
  }

  function barSpec(card, parts, size, flat) {
    const { x, series, metrics, data, tips } = parts;
    const grouped = series || metrics.length > 1;
    const long = series ? data.map((datum) => ({ ...datum, v: datum.v0 })) : folded(metrics, data);
    const names = [...new Set(long.map((datum) => datum.s))];
    const stackType = card.settings["stackable.stack_type"];
    const stack = series || stackType ? (stackType === "normalized" ? "normalize" : "zero") : null;
    const metric = metrics[0];
    const places = [...new Set(data.map((datum) => datum.d))];
    const category = {
      field: "d", type: isTime(x) && !flat ? "ordinal" : "nominal", sort: null,
      scale: { paddingInner: places.length > 60 ? 0.05 : 0.28, paddingOuter: 0.1 },
      axis: { grid: false, title: card.settings["graph.x_axis.title_text"] || null, labelOverlap: true, labelSeparation: 10 },
    };
    if (isTime(x)) category.axis.labelExpr = `utcFormat(toDate(datum.value), '${places.length > 31 ? "%b %Y" : "%-d %b"}')`;
    const value = {
      field: "v", type: "quantitative", stack,
      axis: axisFormat(stack === "normalize" ? { style: "percent" } : metric, {
        title: card.settings["graph.y_axis.title_text"] || null, tickCount: Math.max(2, Math.floor((flat ? size.width : size.height) / (flat ? 90 : 55))),
      }),
    };
    const rounded = stack && grouped ? 0 : 3;
    const labels = !grouped && (flat || (card.settings["graph.show_values"] === true && size.width / places.length > 34));
    if (flat) {
      category.axis.labelLimit = Math.max(90, Math.min(230, size.width * 0.4));
      category.axis.labelColor = colour("soft");
      category.axis.labelFontSize = 12.5;
      category.axis.labelOverlap = false;
      if (labels) value.axis = null;
      if (labels) {
        // room for the longest number after the longest bar: about 6.8 px a letter of either size
        const lengthOf = (texts) => Math.max(...texts.map((text) => String(text).length)) * 6.8;
        const wide = size.width - Math.min(category.axis.labelLimit, lengthOf(places)) - 12;
        const room = lengthOf(long.map((datum) => formatValue(datum.v, metric, true))) + 8;
        value.scale = { domainMax: (Math.max(...long.map((datum) => datum.v ?? 0)) * wide) / Math.max(wide - room, wide / 3), nice: false };
      }
      if (labels && long.every((datum) => !datum.v)) value.scale = { domain: [0, 1] };
    } else {
      if (labels) {
        value.axis = null;
        value.scale = { domainMax: Math.max(...long.map((datum) => datum.v ?? 0)) * 1.08 || 1, nice: false };
      }
      category.axis.labelAngle = 0;
      const widest = Math.max(...places.map((place) => String(place).length));
      category.axis.labelFontSize = 11;
      if (!isTime(x) && (size.width - (labels ? 0 : 40)) / places.length < Math.min(widest, 14) * 5.6 && places.length <= 40) {
        category.axis.labelAngle = -40;
        category.axis.labelLimit = 90;
        category.axis.labelOverlap = false;
      }
      category.axis.labelFlush = false;
    }
    const encoding = {
      [flat ? "y" : "x"]: category,
      [flat ? "x" : "y"]: value,
      tooltip: TIP,
    };
    if (grouped) {
      encoding.color = seriesColour(names, size.width);
      if (!stack) encoding[flat ? "yOffset" : "xOffset"] = { field: "s", sort: null };
    }
    const bar = { mark: { type: "bar", cornerRadiusEnd: rounded, cursor: "default" }, encoding };
    const layer = [bar];
    if (labels) {
      const texts = long.map((datum) => ({ ...datum, label: datum.v === null ? "–" : formatValue(datum.v, metric, true) }));
      return {
        tips, step: flat ? 24 : 0, count: places.length,
        spec: {
          data: { values: texts },
          layer: [
            bar,
            {
              mark: { type: "text", fontSize: 11.5, color: colour("soft"), ...(flat ? { align: "left", dx: 6 } : { baseline: "bottom", dy: -4 }) },
              encoding: { ...encoding, text: { field: "label" } },
            },
          ],
        },
      };
    }
    return { tips, step: flat ? 24 : 0, count: places.length, spec: { data: { values: long }, layer } };
  }

  function comboSpec(card, parts, size) {
    const { x, metrics, tips, data } = parts;
    const shape = (metric, number) => card.settings.series_settings?.[metric.name]?.display ?? (number ? "line" : "bar");
    const colours = palette();
    const time = isTime(x);
    const own = metrics.length > 1;
    const domain = metrics.map((metric) => metric.title);
    return {
      tips,
      spec: {
        data: { values: data },
        resolve: { scale: { y: own ? "independent" : "shared" } },
        layer: metrics.slice(0, 2).map((metric, number) => ({
          mark: shape(metric, number) === "bar"
            ? { type: "bar", cornerRadiusEnd: 3, opacity: 0.85 }
            : { type: "line", point: { size: 30, filled: true }, interpolate: "monotone" },
          encoding: {
            x: {
              field: "d", type: "ordinal", sort: null,
              axis: {
                grid: false, title: null, labelAngle: 0, labelOverlap: true,
                ...(time ? { labelExpr: "utcFormat(toDate(datum.value), '%-d %b')" } : {}),
              },
            },
            y: {
              field: `v${number}`, type: "quantitative",
              axis: axisFormat(metric, { title: null, grid: number === 0, tickCount: Math.max(2, Math.floor(size.height / 55)) }),
            },
            color: { datum: metric.title, type: "nominal", scale: { domain, range: colours.slice(0, domain.length) }, legend: { title: null } },
            tooltip: TIP,
          },
        })),
      },
    };
  }

  function scatterSpec(card, columns, rows, size) {
    const named = (key) => (card.settings[key] ?? []).map((name) => columns.find((column) => column.name === name)).filter(Boolean);
    const [x, series] = named("graph.dimensions").length ? named("graph.dimensions") : columns.filter(isNumber);
    const y = named("graph.metrics")[0] ?? columns.filter((column) => isNumber(column) && column !== x)[0];
    const bubble = columns.find((column) => column.name === card.settings["scatter.bubble"]);
    const label = columns.find((column) => column.type === "text");
    const tips = rows.map((row) => ({
      title: label ? formatValue(row[label.index], label) : "",
      pairs: columns.filter((column) => column !== label).map((column) => [column.title, formatValue(row[column.index], column)]),
    }));
    const spread = (column) => {
      const numbers = rows.map((row) => row[column.index]).filter((value) => value !== null).sort((a, b) => a - b);
      return numbers.length > 4 && numbers[0] > 0 && numbers.at(-1) / numbers[Math.floor(numbers.length / 2)] > 25 ? "log" : "linear";
    };
    const axis = (column, direction) => ({
      type: isTime(column) ? "temporal" : "quantitative", scale: { type: isTime(column) ? "utc" : spread(column), zero: false, nice: true },
      axis: axisFormat(column, {
        title: card.settings[`graph.${direction}_axis.title_text`] || column.title,
        tickCount: Math.max(2, Math.floor((direction === "x" ? size.width : size.height) / 70)),
      }),
    });
    const encoding = { x: { field: "x", ...axis(x, "x") }, y: { field: "y", ...axis(y, "y") }, tooltip: TIP };
    if (bubble) encoding.size = { field: "z", type: "quantitative", legend: null, scale: { range: [20, 500] } };
    const names = series ? [...new Set(rows.map((row) => formatValue(row[series.index], series)))] : [];
    if (series) encoding.color = seriesColour(names, size.width);
    const values = rows.map((row, tip) => ({
      x: row[x.index], y: row[y.index], tip, ...(bubble ? { z: row[bubble.index] } : {}), ...(series ? { s: formatValue(row[series.index], series) } : {}),
    })).filter((datum) => datum.x !== null && datum.y !== null);
    return { tips, spec: { data: { values }, mark: { type: "circle", opacity: 0.6, ...(bubble ? {} : { size: 55 }) }, encoding } };
  }

  function pieSpec(card, columns, rows, size) {
    const find = (key, fallback) => columns.find((column) => column.name === card.settings[key]) ?? columns.find(fallback);
    const dimension = find("pie.dimension", (column) => !isNumber(column));
    const metric = find("pie.metric", isNumber);
    const total = rows.reduce((sum, row) => sum + (row[metric.index] ?? 0), 0);
    const tips = rows.map((row) => ({
      title: formatValue(row[dimension.index], dimension),
      pairs: [[metric.title, formatValue(row[metric.index], metric)], ["Share", formatNumber((row[metric.index] ?? 0) / (total || 1), { style: "percent", decimals: 1 })]],
    }));
    const names = rows.map((row) => formatValue(row[dimension.index], dimension));
    const wide = size.width > size.height * 1.25;
    const radius = Math.max(30, Math.min(size.height - (wide ? 8 : 60), size.width - (wide ? 150 : 8)) / 2);
    return {
      tips,
      spec: {
        data: { values: rows.map((row, tip) => ({ s: names[tip], v: row[metric.index] ?? 0, tip })) },
        mark: { type: "arc", innerRadius: radius * 0.6, outerRadius: radius, padAngle: 0.015, cornerRadius: 2 },
        encoding: {
          theta: { field: "v", type: "quantitative" },
          order: { field: "tip" },
          color: { ...seriesColour(names, size.width), legend: { title: null, orient: wide ? "right" : "bottom", columns: wide ? 1 : 3 } },
          tooltip: TIP,
        },
      },
    };
  }

  function mapSpec(card, columns, rows, size) {
    const dimension = columns.find((column) => column.name === card.settings["map.dimension"]) ?? columns.find((column) => !isNumber(column));
    const metric = columns.find((column) => column.name === card.settings["map.metric"]) ?? columns.find(isNumber);
    const label = columns.find((column) => column.type === "text" && column !== dimension);
    const tips = rows.map((row) => ({
      title: formatValue(row[(label ?? dimension).index], label ?? dimension),
      pairs: columns.filter((column) => column !== dimension && column !== label).map((column) => [column.title, formatValue(row[column.index], column)]),
    }));
    const values = rows
      .map((row, tip) => ({ code: row[dimension.index], v: row[metric.index], tip }))
      .filter((datum) => datum.v !== null);
    const drawn = new Set(world.features.map((feature) => feature.id));
    const spots = values.filter((datum) => !drawn.has(datum.code) && page.spots[datum.code])
      .map((datum) => ({ ...datum, lat: page.spots[datum.code][0], lon: page.spots[datum.code][1] }));
    const numbers = values.map((datum) => datum.v).sort((a, b) => a - b);
    const [low, high] = [numbers[0], numbers.at(-1)];
    const skewed = low >= 0 && high > 20 && high / Math.max(1, numbers[Math.floor(numbers.length / 2)]) > 8;
    const range = isDark() ? ["#234559", "#3f86a5", "#a5def2"] : ["#d4e7ef", "#5fa3c1", "#0d4763"];
    const scale = { type: skewed ? "symlog" : "linear", range, interpolate: "lab", ...(low === high ? { domain: [Math.min(0, low), Math.max(high, 1)] } : {}) };
    const legend = {
      title: metric.title, orient: "bottom-left", direction: "horizontal", gradientLength: Math.min(170, size.width * 0.4), gradientThickness: 8,
      offset: 0, labelExpr: (metric.style === "currency" ? "'$' + " : "") + COMPACT,
      ...(skewed ? { values: [0, 1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].filter((tick) => tick >= low && tick <= high) } : { tickCount: 3 }),
    };
    if (metric.style === "percent") legend.labelExpr = "format(datum.value, '~%')";
    const projection = { type: "equalEarth" };
    const color = { field: "v", type: "quantitative", scale, legend };
    const land = isDark() ? "#243040" : "#e9edf1";
    return {
      tips,
      spec: {
        projection,
        layer: [
          { data: { values: world.features }, mark: { type: "geoshape", fill: land, stroke: colour("card"), strokeWidth: 0.6 } },
          {
            data: { values: world.features },
            transform: [{ lookup: "id", from: { data: { values }, key: "code", fields: ["v", "tip"] } }, { filter: "isValid(datum.v)" }],
            mark: { type: "geoshape", stroke: colour("card"), strokeWidth: 0.6 },
            encoding: { color, tooltip: TIP },
          },
          ...(spots.length ? [{
            data: { values: spots },
            mark: { type: "circle", size: 42, stroke: colour("card"), strokeWidth: 1, opacity: 1 },
            encoding: { longitude: { field: "lon", type: "quantitative" }, latitude: { field: "lat", type: "quantitative" }, color, tooltip: TIP },
          }] : []),
        ],
      },
    };
  }

  function specOf(card, columns, rows, size) {
    if (card.display === "map") return mapSpec(card, columns, rows, size);
    if (card.display === "pie") return pieSpec(card, columns, rows, size);
    if (card.display === "scatter") return scatterSpec(card, columns, rows, size);
    const parts = chartRows(card, columns, rows);
    if (card.display === "line" || card.display === "area") return lineSpec(card, parts, size);
    if (card.display === "combo") return comboSpec(card, parts, size);
    return barSpec(card, parts, size, card.display === "row");
  }

  async function drawChart(holder, card, columns, rows, alive) {
    // on a phone a chart of many bars takes the room it needs, instead of scrolling within the page's scroll
    if (card.display === "row" && matchMedia("(max-width: 760px)").matches) holder.style.flex = `0 0 ${rows.length * 24 + 16}px`;
    const size = { width: holder.clientWidth, height: holder.clientHeight };
    if (size.width < 20 || size.height < 20) return null;
    const made = specOf(card, columns, rows, size);
    // many bars scroll in their card instead of becoming too thin to read
    const needed = made.step ? made.count * made.step + 16 : 0;
    const tall = card.display === "row" && needed > size.height;
    holder.classList.toggle("tall", tall);
    const target = element("div", { class: "vega" });
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      width: size.width - (tall ? 14 : 0), height: tall ? needed : size.height,
      autosize: { type: "fit", contains: "padding" }, ...made.spec,
    };
    const result = await window.vegaEmbed(target, spec, {
      actions: false, renderer: "svg", ast: true, defaultStyle: false, config: config(), loader: { load: refuse, sanitize: refuse },
      tooltip: (_handler, event, _item, value) => {
        const lines = value ? made.tips[Number(value.tip)] : null;
        if (lines) showTip(event, lines);
        else hideTip();
      },
    });
    if (!alive()) {
      result.finalize();
      return null;
    }
    holder.replaceChildren(target);
    const picture = target.querySelector("svg");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `${card.title}: ${rows.length} rows`);
    return result;
  }
  const refuse = () => Promise.reject(new Error("this page loads nothing"));

  // ------------------------------------------------------------------ cards
  function emptyNote(title, text, bad = false) {
    return element("div", { class: bad ? "empty bad" : "empty" }, element("strong", {}, title), text ? element("span", {}, text) : null);
  }

  function sparkline(values) {
    const spark = element("div", { class: "spark", "aria-hidden": "true" });
    const numbers = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const points = numbers.map((value, index) => [(index / (numbers.length - 1)) * 100, high === low ? 20 : 36 - ((value - low) / (high - low)) * 30]);
    const line = points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 100 40");
    svg.setAttribute("preserveAspectRatio", "none");
    const path = (d, attributes) => {
      const made = document.createElementNS(space, "path");
      made.setAttribute("d", d);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      svg.append(made);
    };
    path(`${line}L100 40L0 40Z`, { fill: "var(--accent)", opacity: "0.09" });
    path(line, { fill: "none", stroke: "var(--accent)", "stroke-width": "1.6", "vector-effect": "non-scaling-stroke", opacity: "0.75" });
    spark.append(svg);
    return spark;
  }

  function drawKpi(body, card, columns, rows) {
    const wanted = card.settings["scalar.field"];
    const time = columns.find(isTime);
    const series = card.display === "smartscalar" && time !== undefined;
    const metric = columns.find((column) => column.name === wanted) ?? columns.find((column) => (series ? isNumber(column) : true));
    const ordered = series ? [...rows].sort((a, b) => (a[time.index] < b[time.index] ? -1 : 1)) : rows;
    const value = ordered.at(-1)[metric.index];
    const number = element("div", { class: "number" });
    const shownValue = formatValue(value, metric, true);
    number.append(element("div", {
      class: typeof value === "string" && !isTime(metric) ? "value words" : "value",
      title: isNumber(metric) && value !== null ? formatNumber(value, { ...metric, decimals: metric.decimals }) : shownValue,
    }, shownValue));
    body.append(number);
    if (!series || ordered.length < 3) body.classList.add("middle");
    if (!series) return;
    const before = ordered.length > 1 ? ordered.at(-2) : null;
    const then = before ? before[metric.index] : null;
    if (then === null || value === null) {
      number.append(element("div", { class: "change" }, before ? "" : "first day"));
    } else {
      const difference = value - then;
      const relative = then ? difference / Math.abs(then) : null;
      const small = relative !== null && Math.abs(relative) < 0.0005;
      const arrow = difference > 0 ? "▲" : difference < 0 ? "▼" : "●";
      const text = difference === 0 ? "no change"
        : relative === null || small ? formatNumber(Math.abs(difference), { ...metric, prefix: "", suffix: "" }, true)
        : formatNumber(Math.abs(relative), { style: "percent", decimals: Math.abs(relative) >= 0.1 ? 0 : Math.abs(relative) >= 0.01 ? 1 : 2 });
      const gap = Math.round((Date.parse(ordered.at(-1)[time.index].slice(0, 10)) - Date.parse(before[time.index].slice(0, 10))) / 864e5);
      number.append(element("div", {
        class: `change ${difference > 0 ? "up" : difference < 0 ? "down" : ""}`,
        title: `${formatDate(before[time.index], true)}: ${formatValue(then, metric)}`,
      }, element("b", {}, `${arrow} ${text}`), gap === 1 ? " since the day before" : ` since ${formatDate(before[time.index], true)}`));
    }
    if (ordered.length > 2) body.append(sparkline(ordered.map((row) => row[metric.index])));
  }

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
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1; // unknown last, whatever the direction
    return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true, sensitivity: "base" }) : a - b;
  }

  function drawTable(head, body, card, columns, result) {
    const visible = visibleColumns(card, columns);
    const rows = result.rows;
    const view = { column: null, down: false, find: "" };
    const largest = new Map(visible.filter((column) => column.bar).map((column) => [column, Math.max(...rows.map((row) => row[column.index] ?? 0)) || 1]));
    const tbody = element("tbody");
    const count = element("span", { class: "count" });
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
      } else cell.append(formatValue(value, column));
      return cell;
    };
    const fill = () => {
      const words = view.find.trim().toLocaleLowerCase("en");
      let some = words ? rows.filter((row) => visible.some((column) => formatValue(row[column.index], column).toLocaleLowerCase("en").includes(words))) : [...rows];
      if (view.column) {
        const at = view.column.index;
        some.sort((a, b) => (a[at] === null || b[at] === null ? compare(a[at], b[at]) : view.down ? -compare(a[at], b[at]) : compare(a[at], b[at])));
      }
      tbody.replaceChildren(...some.map((row) => element("tr", {}, ...visible.map((column) => cellOf(row, column)))));
      if (!some.length) tbody.append(element("tr", {}, element("td", { colspan: visible.length }, element("span", { class: "none" }, "nothing found"))));
      const all = result.total > rows.length ? `first ${formatNumber(rows.length)} of ${formatNumber(result.total)} rows` : `${formatNumber(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
      count.textContent = words ? `${formatNumber(some.length)} of ${formatNumber(rows.length)}` : all;
    };
    const heads = visible.map((column) => {
      const th = element("th", { class: isNumber(column) ? "num" : null, scope: "col" }, element("button", { type: "button", title: column.about ?? null, onclick: () => {
        view.down = view.column === column ? !view.down : isNumber(column);
        view.column = column;
        for (const other of heads) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", view.down ? "descending" : "ascending");
        fill();
      } }, column.title));
      return th;
    });
    if (rows.length > 6) {
      head.append(element("span", { class: "grow" }), count, element("input", {
        class: "find", type: "search", placeholder: "Find in this table", "aria-label": `Find in ${card.title}`,
        oninput: (event) => { view.find = event.target.value; fill(); },
      }));
    }
    fill();
    body.append(element("div", { class: "scroll", tabindex: "0" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads)), tbody)));
  }

  function visibleColumns(card, columns) {
    const wanted = card.settings["table.columns"];
    if (!wanted) return columns;
    return wanted.filter((item) => item.enabled !== false).map((item) => columns.find((column) => column.name === item.name)).filter(Boolean);
  }

  function drawObject(body, card, columns, rows) {
    body.append(element("dl", { class: "pairs" }, ...visibleColumns(card, columns).flatMap((column) => [
      element("dt", {}, column.title), element("dd", {}, formatValue(rows[0][column.index], column)),
    ])));
  }

  function drawCard(index, cell, card) {
    charts.get(cell)?.view?.finalize();
    const token = {};
    charts.set(cell, { token });
    const box = cell.firstElementChild;
    const head = element("header", {}, element("h2", { title: card.title }, card.title));
    const body = element("div", { class: "body" });
    const kpi = card.display === "scalar" || card.display === "smartscalar";
    box.replaceChildren(head, ...(card.about && !kpi ? [element("p", { class: "about", title: card.about }, card.about)] : []), body);
    if (kpi && card.about) box.title = card.about;
    cell.dataset.drawn = "no";
    const done = (how) => (cell.dataset.drawn = how);
    if (card.error) {
      body.append(emptyNote("This card's SQL failed", card.error, true));
      return done("failed");
    }
    const result = resultOf(index, card);
    if (!result) {
      body.append(emptyNote("Not on this page", "These filters together need Metabase"));
      return done("absent");
    }
    if (!result.rows.length) {
      body.append(emptyNote("Nothing to show", null));
      return done("empty");
    }
    const columns = columnsOf(card, result);
    try {
      if (kpi) drawKpi(body, card, columns, result.rows);
      else if (card.display === "object") drawObject(body, card, columns, result.rows);
      else if (card.plot) {
        const holder = element("div", { class: "plot" });
        body.append(holder);
        drawChart(holder, card, columns, result.rows, () => charts.get(cell)?.token === token).then((view) => {
          if (!view) return;
          charts.set(cell, { token, view });
          done("yes");
        }).catch((error) => failed(body, error, done));
        return;
      } else drawTable(head, body, card, columns, result);
      done("yes");
    } catch (error) {
      failed(body, error, done);
    }
  }

  function failed(body, error, done) {
    console.error(error);
    body.replaceChildren(emptyNote("This card could not be drawn", String(error), true));
    done("failed");
  }

  // ------------------------------------------------------------------ the page
  const main = document.querySelector("main");
  const tabBar = document.querySelector("nav.tabs");

  function words(card) {
    const holder = element("div", { class: "words-card" });
    holder.innerHTML = card.html; // made from the dashboard's file by a Markdown parser that lets no HTML through
    return holder;
  }

  function build(dashboard, index) {
    const panel = element("section", { id: `panel-${dashboard.slug}`, role: "tabpanel", "aria-labelledby": `tab-${dashboard.slug}`, hidden: true });
    const intro = element("div", { class: "intro" }, element("div", { class: "words" }, element("h1", {}, dashboard.name),
      dashboard.about ? element("p", {}, dashboard.about) : null));
    panel.append(intro);
    if (dashboard.filters.length) intro.append(filterBar(dashboard, index));
    if (dashboard.tabs.length > 1) {
      panel.append(element("div", { class: "tabs inner", role: "tablist" }, ...dashboard.tabs.map((name, number) => element("button", {
        type: "button", role: "tab", "aria-selected": String(number === 0), onclick: () => { state[index].tab = number; show(index); },
      }, name))));
    }
    (dashboard.tabs.length ? dashboard.tabs : [""]).forEach((_, number) => {
      const grid = element("div", { class: "grid", "data-tab": number });
      for (const card of dashboard.cards.filter((one) => one.tab === number)) {
        const kpi = card.display === "scalar" || card.display === "smartscalar";
        const list = card.display === "table" || card.display === "object";
        const kind = card.kind === "card" ? (kpi ? "small" : list ? "list" : "chart") : "words";
        const cell = element("div", { class: `cell ${kind}`, "data-card": card.kind === "card" ? card.id : null, "data-display": card.display ?? null });
        cell.style.gridColumn = `${card.col + 1} / span ${card.width}`;
        cell.style.gridRow = `${card.row + 1} / span ${card.height}`;
        const box = element("article", { class: `card${kpi ? " kpi" : ""}` });
        if (card.kind === "heading") {
          box.classList.add("heading");
          box.append(element("h2", {}, card.text));
        } else if (card.kind === "text") {
          box.classList.add("bare");
          box.append(words(card));
        }
        cell.append(box);
        grid.append(cell);
      }
      panel.append(grid);
    });
    return panel;
  }

  function filterBar(dashboard, index) {
    const bar = element("form", { class: dashboard.filters.length > 2 ? "filters many" : "filters", onsubmit: (event) => event.preventDefault() });
    const chosen = state[index].chosen;
    const selects = new Map();
    const refresh = () => {
      for (const filter of dashboard.filters) {
        const select = selects.get(filter.slug);
        if (!select) continue;
        select.value = String(chosen[filter.slug]);
        select.classList.toggle("set", chosen[filter.slug] !== filter.default);
      }
      reset.hidden = dashboard.filters.every((filter) => chosen[filter.slug] === filter.default);
      draw(index);
    };
    const reset = element("button", { class: "reset", type: "button", hidden: true, onclick: () => {
      for (const filter of dashboard.filters) chosen[filter.slug] = filter.default;
      refresh();
    } }, "Reset");
    for (const filter of dashboard.filters) {
      if (!filter.options.length) continue;
      const select = element("select", { "data-filter": filter.slug, onchange: (event) => {
        chosen[filter.slug] = Number(event.target.value);
        // only the pairs of filters that were asked of the database are on the page
        for (const other of dashboard.filters) {
          const together = dashboard.together.some((pair) => pair.includes(filter.slug) && pair.includes(other.slug));
          if (other !== filter && !together) chosen[other.slug] = other.default;
        }
        refresh();
      } }, ...filter.options.map((option, number) => element("option", { value: number }, option)));
      selects.set(filter.slug, select);
      select.value = String(filter.default);
      bar.append(element("label", { title: filter.about ?? null }, filter.name, select));
    }
    bar.append(reset);
    if (dashboard.note) bar.append(element("div", { class: "note" }, dashboard.note));
    return bar;
  }

  function draw(index) {
    const panel = main.children[index];
    const grid = panel.querySelector(`.grid[data-tab="${state[index].tab}"]`);
    if (!grid) return;
    const byId = new Map(page.dashboards[index].cards.map((card) => [card.id, card]));
    for (const cell of grid.querySelectorAll("[data-card]")) drawCard(index, cell, byId.get(cell.dataset.card));
  }

  function show(index, focus = false) {
    hideTip();
    shown = index;
    [...main.children].forEach((panel, number) => (panel.hidden = number !== index));
    [...tabBar.children].forEach((button, number) => {
      button.setAttribute("aria-selected", String(number === index));
      button.tabIndex = number === index ? 0 : -1;
      if (number === index) {
        if (focus) button.focus();
        tabBar.scrollLeft = Math.max(0, button.offsetLeft - 40);
      }
    });
    const panel = main.children[index];
    panel.querySelectorAll(".tabs.inner button").forEach((button, number) => button.setAttribute("aria-selected", String(number === state[index].tab)));
    panel.querySelectorAll(".grid").forEach((grid) => (grid.hidden = Number(grid.dataset.tab) !== state[index].tab));
    draw(index);
  }

  page.dashboards.forEach((dashboard, index) => {
    tabBar.append(element("button", {
      type: "button", role: "tab", id: `tab-${dashboard.slug}`, "aria-controls": `panel-${dashboard.slug}`,
      onclick: () => { history.replaceState(null, "", `#${dashboard.slug}`); show(index); },
    }, dashboard.name));
    main.append(build(dashboard, index));
  });
  tabBar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (shown + step + page.dashboards.length) % page.dashboards.length;
    history.replaceState(null, "", `#${page.dashboards[next].slug}`);
    show(next, true);
  });

  const remember = (value) => {
    try { localStorage.setItem("theme", value); } catch { /* a page from file:// may have no storage */ }
  };
  const remembered = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  document.querySelector(".toggle").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
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
  addEventListener("scroll", hideTip, { passive: true, capture: true });
  const fromHash = () => page.dashboards.findIndex((dashboard) => `#${dashboard.slug}` === location.hash);
  addEventListener("hashchange", () => fromHash() >= 0 && show(fromHash()));
  if (page.dashboards.length) show(Math.max(0, fromHash()));
  root.dataset.ready = "yes";
})().catch((error) => {
  const note = document.createElement("p");
  note.textContent = `This page could not be shown; it needs a browser of 2023 or newer. (${error})`;
  document.querySelector("main").replaceChildren(note);
  throw error;
});
