// The page: charts when they come into view, values under the pointer, runs on and off, contents,
// theme. Texts of runs are set as text, never as markup.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const boxes = [...document.querySelectorAll('.runs input')];
  const marks = [...document.querySelectorAll('.runs .mark')];
  const canvases = [...document.querySelectorAll('canvas[data-chart]')];
  const tip = document.getElementById('tip');
  const styleOf = (element) => getComputedStyle(element);
  const shown = (run) => boxes[run].checked;

  function make(name, parent, text) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  }

  // ---- Charts

  function dataset(line, spec) {
    const run = data.runs[line.run];
    const color = styleOf(marks[line.run]).color;
    const faded = color.replace('rgb(', 'rgba(').replace(')', `, ${line.shade})`);
    const last = line.x.length - 1;
    const step = Math.max(1, Math.floor(line.x.length / 8));
    const died = ({ dataIndex: at }) => at === last && run.sad && spec.time;
    const radius = ({ dataIndex: at }) => {
      if (died({ dataIndex: at })) return 6;
      if (spec.path) return at === last ? 7 : 2.5;
      if (last < 16) return 3;
      return run.dotted && at % step === 0 ? 3.5 : 0;
    };
    return {
      run: line.run,
      name: line.name,
      data: line.x.map((x, at) => ({ x: x ?? NaN, y: line.y[at] ?? NaN })),
      hidden: !shown(line.run),
      borderColor: faded,
      backgroundColor: faded,
      borderDash: line.dash,
      borderWidth: 1.6,
      showLine: true,
      pointRadius: radius,
      pointHoverRadius: 6,
      pointBorderWidth: (context) => (died(context) ? 2.5 : 1),
      pointHitRadius: 8,
      pointStyle: (context) => (died(context) ? 'crossRot' : run.style),
      pointRotation: run.rotation,
    };
  }

  function axis(label, log, colors, more) {
    return {
      type: log ? 'logarithmic' : 'linear',
      title: { display: true, text: label, color: colors.ink },
      grid: { color: colors.grid },
      border: { color: colors.ink },
      ticks: { color: colors.ink, maxRotation: 0, autoSkipPadding: 12 },
      ...more,
    };
  }

  function draw(canvas) {
    if (Chart.getChart(canvas)) return;
    const spec = data.charts[canvas.dataset.chart];
    const colors = {
      ink: styleOf(document.body).color,
      grid: styleOf(document.querySelector('h2')).borderBottomColor.replace('rgb(', 'rgba(').replace(')', ', 0.45)'),
    };
    const along = spec.path ? { grace: '8%' } : { bounds: 'data', beginAtZero: !spec.log.includes('x') };
    new Chart(canvas, {
      type: spec.path ? 'scatter' : 'line',
      data: { datasets: spec.lines.map((line) => dataset(line, spec)) },
      options: {
        animation: false,
        parsing: false,
        maintainAspectRatio: false,
        interaction: spec.path ? { mode: 'nearest', intersect: false } : { mode: 'nearestOfEach' },
        scales: {
          x: axis(spec.x, spec.log.includes('x'), colors, along),
          y: axis(spec.y, spec.log.includes('y'), colors, spec.path ? { grace: '8%' } : {}),
        },
        plugins: {
          legend: { display: false },
          tooltip: { enabled: false, external: (context) => tell(context, spec) },
        },
      },
    });
  }

  // Of each line the point nearest to the pointer from left to right; none where the line has ended.
  Chart.Interaction.modes.nearestOfEach = (chart, event) => {
    const { x } = Chart.helpers.getRelativePosition(event, chart);
    const found = [];
    for (const meta of chart.getSortedVisibleDatasetMetas()) {
      let best = null;
      let low = Infinity;
      let high = -Infinity;
      meta.data.forEach((element, index) => {
        if (element.skip || !Number.isFinite(element.x) || !Number.isFinite(element.y)) return;
        low = Math.min(low, element.x);
        high = Math.max(high, element.x);
        const away = Math.abs(element.x - x);
        if (!best || away < best.away) best = { element, datasetIndex: meta.index, index, away };
      });
      if (best && x > low - 12 && x < high + 12) found.push(best);
    }
    return found;
  };

  // ---- Values under the pointer

  const short = (value, digits) => String(Number(value.toPrecision(digits)));
  const unitOf = (spec) => (spec.unit ? ` ${spec.unit}` : '');

  function tell({ chart, tooltip }, spec) {
    tip.hidden = tooltip.opacity === 0 || !tooltip.dataPoints || !tooltip.dataPoints.length;
    if (tip.hidden) return;
    const points = tooltip.dataPoints;
    const places = points.map((point) => short(point.raw.x, 6));
    const same = places.every((place) => place === places[0]);
    tip.replaceChildren();
    const table = make('table', tip);
    const body = make('tbody', table);
    points.forEach((point, number) => {
      const { run, name } = point.dataset;
      const row = make('tr', body);
      const mark = make('td', row, marks[run].textContent);
      mark.style.color = styleOf(marks[run]).color;
      make('td', row, name ? `${data.runs[run].name}, ${name}` : data.runs[run].name);
      const at = same ? '' : ` at ${places[number]}`;
      make('td', row, `${short(point.raw.y, 5)}${unitOf(spec)}${at}`);
    });
    if (same) {
      const line = document.createElement('div');
      line.textContent = `${spec.x}: ${places[0]}`;
      tip.prepend(line);
    }
    const box = chart.canvas.getBoundingClientRect();
    const x = box.left + tooltip.caretX + 14;
    const y = box.top + tooltip.caretY + 14;
    tip.style.left = `${Math.max(4, Math.min(x, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(y, innerHeight - tip.offsetHeight - 8))}px`;
  }
  addEventListener('scroll', () => { tip.hidden = true; }, { passive: true });

  // ---- Runs on and off

  function toggle() {
    for (const element of document.querySelectorAll('[data-run]')) {
      element.hidden = !shown(element.dataset.run);
    }
    for (const chart of canvases.map((canvas) => Chart.getChart(canvas))) {
      if (!chart) continue;
      chart.data.datasets.forEach((line, number) => chart.setDatasetVisibility(number, shown(line.run)));
      chart.update('none');
    }
  }
  boxes.forEach((box) => box.addEventListener('change', toggle));
  for (const button of document.querySelectorAll('[data-all]')) {
    button.addEventListener('click', () => {
      boxes.forEach((box) => { box.checked = Boolean(button.dataset.all); });
      toggle();
    });
  }

  // ---- Contents

  const list = document.querySelector('.side nav ul');
  let inner = null;
  document.querySelectorAll('main > h2, main > .charts > figure:not([data-run]) > h3').forEach((head, number) => {
    head.id = `part-${number}`;
    if (head.tagName === 'H2') inner = null;
    else if (!inner) inner = make('ul', list.lastElementChild);
    const link = make('a', make('li', inner || list), head.textContent);
    link.href = `#${head.id}`;
  });
  const side = document.querySelector('.side');
  const wide = matchMedia('(min-width: 900px)');
  const fit = () => { side.open = wide.matches; };
  wide.addEventListener('change', fit);
  fit();
  side.querySelector('nav').addEventListener('click', (event) => {
    if (event.target.closest('a') && !wide.matches) side.open = false;
  });

  // ---- Theme

  const themes = { auto: 'light dark', dark: 'dark', light: 'light' };
  const names = Object.keys(themes);
  const button = document.getElementById('theme');
  const kept = (name) => {
    try {
      if (name) localStorage.setItem('mochi_mm theme', name);
      return localStorage.getItem('mochi_mm theme');
    } catch {
      return null; // a browser that keeps nothing for a file
    }
  };
  function redraw() {
    for (const canvas of canvases) {
      const chart = Chart.getChart(canvas);
      if (chart) {
        chart.destroy();
        draw(canvas);
      }
    }
  }
  function dress(name) {
    button.textContent = `theme: ${name}`;
    document.documentElement.style.colorScheme = themes[name];
    redraw();
  }
  let theme = names.includes(kept()) ? kept() : 'auto';
  button.addEventListener('click', () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    kept(theme);
    dress(theme);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  dress(theme);

  // ---- Draw what comes into view

  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watch.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: '200px' });
  canvases.forEach((canvas) => watch.observe(canvas));
  addEventListener('beforeprint', () => canvases.forEach(draw));
})();
