import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { afterEach, describe, it } from "mocha";
import * as vscode from "vscode";
import { inspect } from "../../../src/inspect";
import { readReport } from "../../../src/reportFile";
import { processes } from "../processes";
import {
  analysisIs,
  answering,
  closeEditors,
  inFolder,
  layersFound,
  testModel,
  theApp,
  until,
  type TestModel,
} from "./host";

const analyze = (model: TestModel): Thenable<void> => vscode.commands.executeCommand("ranklens.analyze", model.uri);

/** The analysis processes of this extension host. */
function workers(): number[] {
  const found = processes().filter(({ parent, command }) => {
    return parent === process.pid && command.some((argument) => argument.includes("worker.js"));
  });
  return found.map(({ pid }) => pid);
}

describe("an analysis", () => {
  const models: TestModel[] = [];
  const model = (name: string, samples?: number): TestModel => {
    const made = testModel(name, samples);
    models.push(made);
    return made;
  };
  afterEach(async () => {
    await closeEditors();
    for (const one of models.splice(0)) one.remove();
  });

  it("opens the panel, keeps its report on disk, and leaves no process behind", async () => {
    const app = await theApp();
    const one = model("kept");
    await analyze(one);
    const record = app.models.record(one.uri);
    assert.equal(record.analysis.kind, "idle");
    assert.equal(record.report?.layers.length, 8);
    assert.equal(record.staleBecause, null);
    assert.ok(vscode.window.tabGroups.activeTabGroup.activeTab?.input instanceof vscode.TabInputCustom);
    assert.deepEqual(readReport(app.models.reportFile(one.uri)), record.report);
    assert.ok(app.models.reports().some(({ modelUri }) => modelUri.fsPath === one.uri.fsPath));
    await until(() => workers().length === 0, "no process");
  });

  it("goes on from what was kept, where the settings allow it", async () => {
    const app = await theApp();
    // As many samples as no other test has: nothing of what they analysed may be known, whatever their settings were.
    const one = model("again", 90);
    const configuration = vscode.workspace.getConfiguration("ranklens");
    await configuration.update("cache", true, vscode.ConfigurationTarget.Global);
    try {
      await analyze(one);
      const first = app.models.record(one.uri).report;
      await analyze(one);
      const second = app.models.record(one.uri).report;
      assert.ok(first && first.cost.evaluations > 0);
      assert.equal(second?.cost.evaluations, 0);
      assert.deepEqual(second.layers, first.layers);
    } finally {
      await configuration.update("cache", false, vscode.ConfigurationTarget.Global);
    }
  });

  it("of several models that are selected, waits for another one", async () => {
    const app = await theApp();
    const [first, second] = [model("first"), model("second")];
    const selected = [first.uri, second.uri];
    const both = vscode.commands.executeCommand("ranklens.analyze", first.uri, selected);
    await analysisIs(app, second, "queued");
    assert.deepEqual(app.models.record(second.uri).analysis, { kind: "queued", ahead: 1 });
    await analysisIs(app, first, "running");
    await until(() => workers().length === 1, "one process");
    await both;
    for (const { uri } of [first, second]) assert.equal(app.models.record(uri).report?.layers.length, 8);
  });

  it("is cancelled within a second, and keeps the layers that were found", async () => {
    const app = await theApp();
    const one = model("cancelled", 1000);
    const ended = analyze(one);
    await layersFound(app, one);
    const start = performance.now();
    await vscode.commands.executeCommand("ranklens.cancel", one.uri);
    await ended;
    const took = performance.now() - start;
    assert.ok(took < 1000, `it took ${took.toFixed(0)} ms`);
    assert.equal(app.models.record(one.uri).analysis.kind, "cancelled");
    assert.ok(app.models.record(one.uri).layers.length > 0);
    assert.deepEqual(workers(), []);
  });

  it("whose process is killed is reported once, with a way to try again, and harms nothing else", async () => {
    const app = await theApp();
    const one = model("killed", 300);
    let killed = false;
    const retry = (_: unknown, action: unknown): unknown => (killed ? undefined : ((killed = true), action));
    const asked = await answering({ showErrorMessage: retry }, async () => {
      const ended = analyze(one);
      await layersFound(app, one);
      for (const pid of workers()) process.kill(pid, "SIGKILL");
      await ended;
      // The user chose to try again.
      await until(() => app.models.record(one.uri).report, "the report", 60_000);
    });
    const errors = asked.filter(({ method }) => method === "showErrorMessage");
    assert.equal(errors.length, 1);
    assert.match(String(errors[0].args[0]), /^The analysis process was killed \(SIGKILL\)[^\n]*$/);
    assert.deepEqual(errors[0].args.slice(1), ["Retry", "Show Log"]);
    await analysisIs(app, one, "idle");
  }).timeout(90_000);

  it("whose config is wrong fails in a line, and no command is rejected", async () => {
    const app = await theApp();
    const one = model("wrong");
    appendFileSync(one.config, "}");
    const asked = await answering({}, async () => analyze(one));
    const state = app.models.record(one.uri).analysis;
    assert.ok(state.kind === "failed");
    assert.match(state.message, /wrong\.ranklens\.json:1:\d+: not valid JSON/);
    assert.deepEqual(
      asked.map(({ args }) => args[0]),
      [state.message],
    );
  });

  it("without a config asks what to measure on, writes what it found out, and uses it", async () => {
    const app = await theApp();
    // The folder above has a config for all of its models.
    const one = model("bare/unconfigured");
    rmSync(one.config);
    const files = ["calibration", "validation"].flatMap((kind) => [`${kind}_images.npy`, `${kind}_labels.npy`]);
    const labels: string[] = [];
    const running = answering(
      {
        showQuickPick: (items: unknown) => {
          const all = items as readonly vscode.QuickPickItem[];
          labels.push(...all.map(({ label }) => label));
          return all.find(({ label }) => /NumPy|Write .* and go on/.test(label)) ?? all[0];
        },
        showOpenDialog: () => files.map((name) => vscode.Uri.file(inFolder(name))),
      },
      async () => analyze(one),
    );
    await until(() => existsSync(one.config), "the config");
    await analysisIs(app, one, "running");
    await vscode.commands.executeCommand("ranklens.cancel", one.uri);
    await running;
    assert.ok(labels.includes("calibration") && labels.includes("validation"), labels.join("; "));
    const written = JSON.parse(readFileSync(one.config, "utf8")) as { calibration: unknown; preprocess: unknown };
    assert.deepEqual(written.calibration, {
      source: "../calibration_images.npy",
      labels: "../calibration_labels.npy",
    });
    assert.ok(written.preprocess);
  });

  it("without data needs none", async () => {
    const app = await theApp();
    const one = model("bare/weights");
    rmSync(one.config);
    const pick = (items: unknown): unknown =>
      (items as readonly vscode.QuickPickItem[]).find(({ label }) => label.includes("Weights only"));
    await answering({ showQuickPick: pick }, async () => analyze(one));
    assert.equal(app.models.record(one.uri).report?.settings.ranks, "none");
    assert.equal(existsSync(one.config), false);
  });

  it("has a report that is out of date when the model is another, and not when it is the same again", async () => {
    const app = await theApp();
    const one = model("stale");
    await analyze(one);
    const record = app.models.record(one.uri);
    assert.equal(record.staleBecause, null);
    const other = readFileSync(one.uri.fsPath);
    // A byte of a weight.
    other[other.length >> 1] ^= 1;
    await vscode.workspace.fs.writeFile(one.uri, other);
    await until(() => record.staleBecause?.includes("has changed"), "stale");
    const asked = await answering({}, async () => vscode.commands.executeCommand("ranklens.export", one.uri));
    assert.deepEqual(
      asked.map(({ args }) => args[0]),
      [record.staleBecause],
    );
    copyFileSync(inFolder("model.onnx"), one.uri.fsPath);
    await until(() => record.staleBecause === null, "fresh again");
    rmSync(one.uri.fsPath);
    await until(() => record.staleBecause?.includes("cannot be read"), "gone");
  });

  it("is copied as a table", async () => {
    const one = model("copied");
    await analyze(one);
    await vscode.commands.executeCommand("ranklens.copyCsv");
    const lines = (await vscode.env.clipboard.readText()).split("\r\n");
    assert.equal(lines.length, 1 + 8 + 1);
    assert.match(lines[0], /^layer,op,/);
  });
});

describe("an export", () => {
  afterEach(closeEditors);

  it("shows what it will do before it asks for the file, then writes and offers it", async () => {
    const app = await theApp();
    const one = testModel("exported");
    const target = inFolder("exported.small.onnx");
    try {
      await vscode.commands.executeCommand("ranklens.analyze", one.uri);
      const order = await answering(
        {
          showInformationMessage: (_: unknown, options: unknown, action: unknown) =>
            typeof options === "object" ? action : undefined,
          showSaveDialog: () => vscode.Uri.file(target),
        },
        async () => vscode.commands.executeCommand("ranklens.export", one.uri),
      );
      assert.deepEqual(
        order.map(({ method }) => method),
        ["showInformationMessage", "showSaveDialog", "showInformationMessage"],
      );
      const { detail } = order[0].args[1] as vscode.MessageOptions;
      assert.match(
        detail ?? "",
        /Parameters: 127,866 → [\d,]+ \(.*\)\nMACs per sample: .* → .*\nAccuracy \(top-1\): [\d.]+% → [\d.]+%/,
      );
      const { defaultUri } = order[1].args[0] as vscode.SaveDialogOptions;
      assert.equal(defaultUri?.fsPath, target);
      assert.match(String(order[2].args[0]), /^exported\.small\.onnx has [\d.]+% of the size; accuracy /);
      assert.deepEqual(order[2].args.slice(1), ["Open", "Reveal"]);
      assert.ok(inspect(target).model.parameters < 127_866);
      const { report, staleBecause } = app.models.record(one.uri);
      assert.equal(report?.compressed?.path, target);
      assert.equal(staleBecause, null);
    } finally {
      one.remove();
      rmSync(target, { force: true });
    }
  });

  it("writes nothing where the user thinks better of it, or nothing was analyzed", async () => {
    const one = testModel("unexported");
    try {
      const before = readdirSync(inFolder(""));
      const [refused] = await answering({}, async () => vscode.commands.executeCommand("ranklens.export", one.uri));
      assert.match(String(refused.args[0]), /has not been analyzed/);
      await vscode.commands.executeCommand("ranklens.analyze", one.uri);
      const asked = await answering({}, async () => vscode.commands.executeCommand("ranklens.export", one.uri));
      assert.deepEqual(
        asked.map(({ method }) => method),
        ["showInformationMessage"],
      );
      assert.deepEqual(readdirSync(inFolder("")), before);
    } finally {
      one.remove();
    }
  });
});
