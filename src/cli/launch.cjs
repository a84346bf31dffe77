#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: Node 14.17 and older do not know it
"use strict";
// The `ensemble` command begins here. This file is CommonJS without newer syntax, so that an older Node can read it too. Such a Node
// prints a sentence about its version, where it would otherwise print a SyntaxError. The command itself is loaded only if the version is
// right.
const existsSync = require("fs").existsSync;
const join = require("path").join;
const pathToFileURL = require("url").pathToFileURL;

const range = require("../../package.json").engines.node; // ">=22.18"
const needed = range.replace(/^\D+/, "").split(".").map(Number);
const present = process.versions.node.split(".").map(Number);
const isEnough = present[0] > needed[0] || (present[0] === needed[0] && present[1] >= (needed[1] || 0));

if (isEnough) {
  const source = join(__dirname, "ensemble.ts"); // in the checkout. The package contains only built files.
  import(pathToFileURL(existsSync(source) ? source : join(__dirname, "ensemble.js")).href);
} else {
  console.error(
    "ensemble: This is Node " +
      process.versions.node +
      ", and Ensemble needs " +
      needed.join(".") +
      " or newer. Install one from https://nodejs.org, or put one into this project: npm install node@24",
  );
  process.exitCode = 1;
}
