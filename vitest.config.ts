import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The test that unloads IPVS comes first: what later ones leave in the kernel keeps its schedulers in use for a while. */
class UnloadingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const unloads = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith("kernel.vm.test.ts");
    return [...sorted.filter(unloads), ...sorted.filter((file) => !unloads(file))];
  }
}

// Unit tests stand beside the code. Everything that needs namespaces or real programs is `*.lab.test.ts`.
export default defineConfig({
  test: {
    sequence: { sequencer: UnloadingFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "tools/**/*.test.ts"],
          exclude: ["**/*.lab.test.ts", "**/*.sim.test.ts", "**/*.vm.test.ts", "tools/gates.test.ts"],
        },
      },
      // The gates' own proof runs compilers and linters: beside the gates, not among the unit tests.
      { test: { name: "gates", include: ["tools/gates.test.ts"], testTimeout: 120_000 } },
      { test: { name: "sim", include: ["src/**/*.sim.test.ts"], testTimeout: 300_000 } },
      // Runs inside the virtual machine of lab/ipvs-vm, whose kernel has IPVS.
      {
        test: {
          name: "vm",
          include: ["lab/**/*.vm.test.ts", "src/**/*.vm.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          isolate: false,
          pool: "threads",
        },
      },
      {
        test: {
          name: "lab",
          globalSetup: ["tools/bundle.mjs"],
          include: ["lab/**/*.lab.test.ts", "src/**/*.lab.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
