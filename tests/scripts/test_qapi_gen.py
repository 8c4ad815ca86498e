# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/qapi-gen.py: what it makes of a schema, and what it refuses."""
import json
import os
import tempfile
import unittest

from load import load

gen = load("qapi-gen")


class QapiGen(unittest.TestCase):
    def schema(self, doc):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "x.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write("# a comment\n" + (doc if isinstance(doc, str) else json.dumps(doc)))
            return gen.Schema([path])

    def refuses(self, doc, text):
        with self.assertRaises(gen.SchemaError) as e:
            self.schema(doc)
        self.assertIn(text, str(e.exception))

    def test_names(self):
        self.assertEqual(gen.c_name("cpu-index"), "cpu_index")
        self.assertEqual(gen.c_name("default"), "default_")
        self.assertEqual(gen.c_name("1"), "_1")
        self.assertEqual(gen.upper("VmRunState"), "VM_RUN_STATE")
        self.assertEqual(gen.upper("HMPThing"), "HMP_THING")

    def test_struct(self):
        s = self.schema({"structs": {"S": {"doc": "d", "members": {
            "a": ["int", ""], "b?": ["bool", ""], "c?": ["[str]", ""], "d": ["S2", ""]}},
            "S2": {"doc": "d", "members": {}}}})
        h = gen.gen_types_h(s)
        self.assertIn("int64_t a;", h)
        self.assertIn("bool b;\n    bool has_b;", h)
        self.assertIn("GPtrArray *c;", h)
        self.assertNotIn("has_c", h)
        self.assertIn("S2 *d;", h)

    def test_base_comes_first(self):
        s = self.schema({"structs": {
            "A": {"doc": "d", "members": {"x": ["int", ""]}},
            "B": {"doc": "d", "base": "A", "members": {"y": ["int", ""]}}}})
        self.assertEqual([m[0] for m in s.types["B"][1]], ["x", "y"])

    def test_command(self):
        s = self.schema({"commands": {
            "do-it": {"doc": "d", "args": {"x": ["int", ""]}},
            "get-it": {"doc": "d", "returns": "str"},
            "ask": {"doc": "d", "returns": "str", "raw-reply": True, "raw": True,
                    "args": {"x": ["int", ""]}, "features": ["f"]}}})
        h = gen.gen_commands_h(s)
        self.assertIn("bool qmp_do_it(QmpCall *call, const QmpDoItArgs *args, GError **error);", h)
        self.assertIn("char *qmp_get_it(QmpCall *call, GError **error);", h)
        self.assertIn("struct json_object *qmp_ask(QmpCall *call, struct json_object *args", h)
        c = gen.gen_commands_c(s)
        self.assertLess(c.index('{ "ask"'), c.index('{ "do-it"'))
        self.assertIn('features_ask[] = { "f", NULL }', c)

    def test_union(self):
        doc = {"enums": {"E": {"doc": "d", "values": ["a", "b"]}},
               "structs": {"S": {"doc": "d", "members": {"x": ["int", ""]}}},
               "unions": {"U": {"doc": "d", "tag": "t", "wrap": True,
                                "members": {"t": ["E", ""]}, "branches": {"a": "S"}}}}
        s = self.schema(doc)
        self.assertEqual(s.types["U"][2], ("t", "E", {"a": "SWrapper"}))
        doc["unions"]["U"]["branches"] = {"z": "S"}
        self.refuses(doc, "branch 'z' is no value of the tag")

    def test_refusals(self):
        self.refuses({"structs": {"S": {"doc": "d", "members": {"a": ["Foo", ""]}}}},
                     "S.a: unknown type 'Foo'")
        self.refuses({"structs": {"S": {"members": {}}}}, "no doc")
        self.refuses({"structs": {"S": {"doc": "d", "mebmers": {}}}}, "unknown key 'mebmers'")
        self.refuses({"things": {}}, "unknown section 'things'")
        self.refuses('{"structs": {"S": {"doc": "d"}, "S": {"doc": "d"}}}', "duplicate key")
        self.refuses({"structs": {"S": {"doc": "d", "members": {"a": "int"}}}},
                     "must be [type, doc]")

    def test_output_is_kept_when_equal(self):
        with tempfile.TemporaryDirectory() as d:
            gen.write(d, "f", "x")
            os.utime(os.path.join(d, "f"), (1, 1))
            gen.write(d, "f", "x")
            self.assertEqual(os.stat(os.path.join(d, "f")).st_mtime, 1)
            gen.write(d, "f", "y")
            self.assertNotEqual(os.stat(os.path.join(d, "f")).st_mtime, 1)
