import { testExamples } from "./examples.ts";

testExamples((page) => page.startsWith("docs/patterns/"));
