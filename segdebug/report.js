// Figures in the reader's own light or dark, and one slider for all maps.
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const ink = () => ({
  "font.color": dark.matches ? "#e8ebf0" : "#1c2330",
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  colorway: dark.matches ? ["#7cc0ff"] : ["#0062a8"],
  "xaxis.gridcolor": "rgba(128,128,128,0.25)",
  "yaxis.gridcolor": "rgba(128,128,128,0.25)",
  "hoverlabel.bgcolor": dark.matches ? "#20262f" : "#ffffff",
});
for (const [id, { figure, file }] of Object.entries(figures)) {
  const place = document.getElementById(id);
  const svg = {
    name: "svg",
    title: "Download as SVG",
    icon: Plotly.Icons.disk,
    click: (drawn) => Plotly.downloadImage(drawn, { format: "svg", filename: file, width: 900, height: 420 }),
  };
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToAdd: [svg],
    toImageButtonOptions: { format: "png", filename: file, width: 900, height: 420, scale: 3 },
  };
  Plotly.newPlot(place, figure.data, figure.layout, config).then(() => Plotly.relayout(place, ink()));
}
dark.addEventListener("change", () => {
  for (const id of Object.keys(figures)) Plotly.relayout(document.getElementById(id), ink());
});
const slider = document.querySelector(".step input");
if (slider) {
  const steps = JSON.parse(slider.dataset.steps);
  const maps = [...document.querySelectorAll("[data-map]")].map((image) => [image, JSON.parse(image.dataset.map)]);
  slider.addEventListener("input", () => {
    document.querySelector(".step output").value = steps[slider.value];
    for (const [image, { frames, shown }] of maps) image.src = frames[shown[slider.value]];
  });
}
