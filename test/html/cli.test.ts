import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cnnLab, expectRefusal, expectSuccess, type Lab } from "../cli/lab";

describe("--html", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await cnnLab();
  });
  afterAll(() => lab.remove());
  const page = (name: string): string => readFileSync(lab.at(name), "utf8");

  it("writes the page beside the report, and compress adds what it wrote", async () => {
    expectSuccess(await lab.run("analyze", "model.onnx", "--report", "r.json", "--html", "analyzed.html"));
    expect(page("analyzed.html")).toContain("<title>model.onnx – RankLens</title>");
    for (const name of ["wide", "side", "grouped", "pointwise", "head"]) {
      expect(page("analyzed.html")).toContain(`<bdi>${name}</bdi></th>`);
    }
    expect(page("analyzed.html")).not.toContain(lab.folder);
    expectSuccess(
      await lab.run("compress", "model.onnx", "--from", "r.json", "--output", "s.onnx", "--html", "compressed.html"),
    );
    expect(page("compressed.html")).toContain("Layers written as two");
    expect(Object.keys(lab.files()).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  it("takes no file's place, and says so before any work", async () => {
    lab.write("there.html", "mine");
    expectRefusal(
      await lab.run("analyze", "model.onnx", "--weights-only", "--html", "there.html"),
      /there\.html.*--force/,
    );
    expect(page("there.html")).toBe("mine");
    expectRefusal(await lab.run("analyze", "model.onnx", "--weights-only", "--html", "model.onnx", "--force"), /the model itself/); // prettier-ignore
    expectSuccess(await lab.run("analyze", "model.onnx", "--weights-only", "--html", "there.html", "--force"));
    expect(page("there.html")).toContain("weights only, no data was used");
  });

  it("wants a file of its own", async () => {
    const same = await lab.run("analyze", "model.onnx", "--report", "x.json", "--html", "./x.json");
    expect([same.status, same.stderr]).toEqual([2, "error: --report and --html name the same file.\n"]);
    const model = await lab.run("compress", "model.onnx", "--output", "y.onnx", "--html", "y.onnx");
    expect([model.status, model.stderr]).toEqual([2, "error: --html and --output name the same file.\n"]);
  });
});
