#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Generates C from the management schema qapi/*.json (layout: docs/devel/qapi.md).

    qapi-gen.py OUTDIR SCHEMA.json ...    writes qapi-types.[ch] qapi-commands.[ch]
                                          qapi-events.[ch] into OUTDIR
    qapi-gen.py --doc SCHEMA.json ...     prints the reference manual

The schema is only data: types become constant tables that qapi/visit.c interprets, so the
generated code holds nothing but tables and one small stub per command.
"""
import json
import os
import re
import sys

BUILTIN = {  # name: (C type, kind, width, unsigned)
    'str': ('char *', 'STR', 0, 0), 'number': ('double ', 'NUMBER', 0, 0),
    'bool': ('bool ', 'BOOL', 0, 0), 'null': ('bool ', 'NULL', 0, 0),
    'any': ('struct json_object *', 'ANY', 0, 0), 'size': ('uint64_t ', 'SIZE', 8, 1),
    'int': ('int64_t ', 'INT', 8, 0),
    **{f'int{n}': (f'int{n}_t ', 'INT', n // 8, 0) for n in (8, 16, 32, 64)},
    **{f'uint{n}': (f'uint{n}_t ', 'INT', n // 8, 1) for n in (8, 16, 32, 64)},
}
RESERVED = set('auto break case char const continue default do double else enum extern float for '
               'goto if inline int long register return short signed sizeof static struct switch '
               'typedef union unsigned void volatile while unix linux'.split())
KINDS = ('enums', 'structs', 'unions', 'alternates', 'commands', 'events')
KEYS = {'enums': {'doc', 'values'}, 'structs': {'doc', 'base', 'members'},
        'unions': {'doc', 'base', 'members', 'tag', 'branches', 'wrap'},
        'alternates': {'doc', 'branches'},
        'commands': {'doc', 'args', 'returns', 'features', 'raw', 'raw-reply'},
        'events': {'doc', 'data', 'throttled'}}


class SchemaError(Exception):
    pass


def c_name(name):
    name = re.sub(r'[^A-Za-z0-9_]', '_', name)
    if name in RESERVED or name[0].isdigit():
        name += '_' if name in RESERVED else ''
        name = '_' + name if name[0].isdigit() else name
    return name


def upper(name):
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    name = re.sub(r'([A-Z])([A-Z][a-z])', r'\1_\2', name)
    return re.sub(r'[^A-Za-z0-9]', '_', name).upper()


class Schema:
    """The merged contents of all schema files, checked."""

    def __init__(self, files):
        self.sections = {k: {} for k in KINDS}
        self.docs = []
        for path in files:
            self.load(path)
        self.types = {}     # name -> ('enum', values) | ('object', members, union) | ('alternate', ..)
        self.build()

    def load(self, path):
        with open(path, encoding='utf-8') as f:
            text = ''.join('\n' if line.lstrip().startswith('#') else line for line in f)
        try:
            doc = json.loads(text, object_pairs_hook=self.no_duplicates)
        except (ValueError, SchemaError) as e:
            raise SchemaError(f'{path}: {e}') from e
        self.docs.append((os.path.basename(path), doc.pop('doc', '')))
        for kind, items in doc.items():
            if kind not in KINDS:
                raise SchemaError(f"{path}: unknown section '{kind}'")
            for name, item in items.items():
                if any(name in s for s in self.sections.values()):
                    raise SchemaError(f"{path}: '{name}' is defined twice")
                bad = set(item) - KEYS[kind]
                if bad:
                    raise SchemaError(f"{path}: {name}: unknown key '{sorted(bad)[0]}'")
                if not item.get('doc'):
                    raise SchemaError(f"{path}: {name}: no doc")
                self.sections[kind][name] = dict(item, file=os.path.basename(path))

    @staticmethod
    def no_duplicates(pairs):
        d = dict(pairs)
        if len(d) != len(pairs):
            names = [k for k, _ in pairs]
            raise SchemaError('duplicate key ' + next(n for n in names if names.count(n) > 1))
        return d

    def members_of(self, owner, item):
        """[(name, type, optional, doc)] with those of the base first."""
        out = []
        if item.get('base'):
            base = self.sections['structs'].get(item['base'])
            if base is None:
                raise SchemaError(f"{owner}: base '{item['base']}' is no struct")
            out += self.members_of(item['base'], base)
        for key, val in item.get('members', {}).items():
            if not isinstance(val, list) or len(val) != 2:
                raise SchemaError(f"{owner}.{key}: must be [type, doc]")
            out.append((key.rstrip('?'), val[0], key.endswith('?'), val[1]))
        names = [m[0] for m in out]
        for n in names:
            if names.count(n) > 1:
                raise SchemaError(f"{owner}: member '{n}' is defined twice")
        return out

    def build(self):
        for name, item in self.sections['enums'].items():
            values = item['values']
            if not isinstance(values, dict):
                values = {v: '' for v in values}
            self.types[name] = ('enum', values)
        for name, item in self.sections['structs'].items():
            self.types[name] = ('object', self.members_of(name, item), None)
        for name, item in self.sections['unions'].items():
            self.build_union(name, item)
        for name, item in self.sections['alternates'].items():
            self.types[name] = ('alternate', item['branches'])
        for kind, key, suffix in (('commands', 'args', 'Args'), ('events', 'data', 'Event')):
            for name, item in self.sections[kind].items():
                if isinstance(item.get(key), dict):
                    words = re.split(r'[-_]', name.lower())
                    tname = ('Qmp' if kind == 'commands' else '') + \
                        ''.join(w.capitalize() for w in words) + suffix
                    if tname in self.types:
                        raise SchemaError(f'{name}: type {tname} is defined twice')
                    item[key + '_type'] = tname
                    self.types[tname] = ('object', self.members_of(
                        name, {'members': item[key]}), None)
                else:
                    item[key + '_type'] = item.get(key)
        for name, t in self.types.items():
            self.check(name, t)
        for kind, keys in (('commands', ('args_type', 'returns')), ('events', ('data_type',))):
            for name, item in self.sections[kind].items():
                for key in keys:
                    if item.get(key):
                        self.check_ref(name, item[key])

    def build_union(self, name, item):
        members = self.members_of(name, item)
        tag = item.get('tag')
        tags = [m for m in members if m[0] == tag]
        if not tags or self.types.get(tags[0][1], ('',))[0] != 'enum':
            raise SchemaError(f"{name}: tag '{tag}' is no enum member")
        values = list(self.types[tags[0][1]][1])
        branches = {}
        for value, tname in item.get('branches', {}).items():
            if value not in values:
                raise SchemaError(f"{name}: branch '{value}' is no value of the tag")
            if item.get('wrap'):
                wrapper = tname + 'Wrapper'
                self.types.setdefault(wrapper, (
                    'object', [('data', tname, False, 'the value')], None))
                tname = wrapper
            branches[value] = tname
        self.types[name] = ('object', members, (tag, tags[0][1], branches))

    def check_ref(self, owner, ref):
        base = ref[1:-1] if ref.startswith('[') else ref
        if base not in BUILTIN and base not in self.types:
            raise SchemaError(f"{owner}: unknown type '{ref}'")

    def check(self, name, t):
        if t[0] == 'object':
            for m in t[1]:
                self.check_ref(f'{name}.{m[0]}', m[1])
            for v, ref in (t[2][2] if t[2] else {}).items():
                if self.types.get(ref, ('',))[0] != 'object':
                    raise SchemaError(f"{name}: branch '{v}' is no struct")
        elif t[0] == 'alternate':
            for ref in t[1].values():
                self.check_ref(name, ref)

    # --- C -------------------------------------------------------------------------------

    def is_pointer(self, ref):
        if ref.startswith('[') or ref in ('str', 'any'):
            return True
        return ref in self.types and self.types[ref][0] in ('object', 'alternate')

    def c_type(self, ref):
        if ref.startswith('['):
            return 'GPtrArray *' if self.is_pointer(ref[1:-1]) else 'GArray *'
        if ref in BUILTIN:
            return BUILTIN[ref][0]
        return ref + (' ' if self.types[ref][0] == 'enum' else ' *')

    def desc(self, ref):
        if ref.startswith('['):
            return 'qapi_array_' + c_name(ref[1:-1])
        return 'qapi_type_' + c_name(ref)

    def used_arrays(self):
        refs = set()
        for t in self.types.values():
            if t[0] == 'object':
                refs |= {m[1] for m in t[1]}
            elif t[0] == 'alternate':
                refs |= set(t[1].values())
        for item in self.sections['commands'].values():
            if item.get('returns'):
                refs.add(item['returns'])
        return sorted(r for r in refs if r.startswith('['))


BANNER = '// SPDX-License-Identifier: GPL-2.0-or-later\n' \
         '/* Generated by scripts/qapi-gen.py from qapi/*.json. Do not edit. */\n'.replace(
             '/*.json', '/ (schema)')


def gen_types_h(s):
    o = [BANNER, '#ifndef QAPI_TYPES_H\n#define QAPI_TYPES_H\n\n#include "qapi/qapi.h"\n']
    for name, t in s.types.items():
        if t[0] == 'enum':
            o.append(f'typedef enum {name} {{')
            o += [f'    {upper(name)}_{upper(v)},' for v in t[1]]
            o.append(f'    {upper(name)}__COUNT,\n}} {name};\n')
        else:
            o.append(f'typedef struct {name} {name};')
    o.append('')
    for name, t in s.types.items():
        if t[0] == 'alternate':
            o.append(f'struct {name} {{\n    int type;    /* QapiKind */\n    union {{')
            o += [f'        {s.c_type(ref)}{c_name(b)};' for b, ref in t[1].items()]
            o.append('    } u;\n};\n')
        elif t[0] == 'object':
            o.append(f'struct {name} {{')
            for m in t[1]:
                o.append(f'    {s.c_type(m[1])}{c_name(m[0])};')
                if m[2] and not s.is_pointer(m[1]):
                    o.append(f'    bool has_{c_name(m[0])};')
            if t[2]:
                o.append('    union {')
                for v, ref in t[2][2].items():
                    o.append(f'        {ref} *{c_name(v)};')
                o.append('        void *any_branch;\n    } u;')
            elif not t[1]:
                o.append('    char unused;')
            o.append('};\n')
    for name in list(BUILTIN) + list(s.types):
        o.append(f'extern const QapiType qapi_type_{c_name(name)};')
    for ref in s.used_arrays():
        o.append(f'extern const QapiType {s.desc(ref)};')
    for name, t in s.types.items():
        if t[0] == 'enum':
            o.append(f'static inline const char *{upper(name).lower()}_name({name} value)\n{{\n'
                     f'    return qapi_enum_name(&qapi_type_{name}, value);\n}}')
    o.append('\n#endif\n')
    return '\n'.join(o)


def gen_types_c(s):
    o = [BANNER, '#include "qapi/qapi-types.h"\n']
    for name, (_, kind, width, uns) in BUILTIN.items():
        o.append(f'const QapiType qapi_type_{c_name(name)} = {{ .name = "{name}", '
                 f'.kind = QAPI_{kind}, .width = {width}, .is_unsigned = {uns} }};')
    for ref in s.used_arrays():
        o.append(f'const QapiType {s.desc(ref)} = {{ .name = "{ref}", .kind = QAPI_ARRAY, '
                 f'.element = &{s.desc(ref[1:-1])} }};')
    for name, t in s.types.items():
        if t[0] == 'enum':
            values = ', '.join(f'"{v}"' for v in t[1])
            o.append(f'static const char *const values_{name}[] = {{ {values}, NULL }};')
            o.append(f'const QapiType qapi_type_{name} = {{ .name = "{name}", .kind = QAPI_ENUM, '
                     f'.count = {len(t[1])}, .values = values_{name} }};')
        elif t[0] == 'alternate':
            o.append(f'static const QapiMember members_{name}[] = {{')
            for b, ref in t[1].items():
                o.append(f'    {{ "{b}", &{s.desc(ref)}, offsetof({name}, u.{c_name(b)}) }},')
            o.append(f'}};\nconst QapiType qapi_type_{name} = {{ .name = "{name}", '
                     f'.kind = QAPI_ALTERNATE, .size = sizeof({name}), .count = {len(t[1])}, '
                     f'.members = members_{name} }};')
        else:
            o += gen_object_c(s, name, t)
    return '\n'.join(o) + '\n'


def gen_object_c(s, name, t):
    o = []
    extra = ''
    if t[1]:
        o.append(f'static const QapiMember members_{name}[] = {{')
        for m, ref, opt, _ in t[1]:
            has = f'offsetof({name}, has_{c_name(m)})' if opt and not s.is_pointer(ref) else '0'
            o.append(f'    {{ "{m}", &{s.desc(ref)}, offsetof({name}, {c_name(m)}), {has}, '
                     f'{"true" if opt else "false"} }},')
        o.append('};')
        extra = f'.members = members_{name}, '
    if t[2]:
        tag, tagtype, branches = t[2]
        if branches:
            o.append(f'static const QapiVariant variants_{name}[] = {{')
            o += [f'    {{ {upper(tagtype)}_{upper(v)}, &{s.desc(ref)} }},'
                  for v, ref in branches.items()]
            o.append('};')
            extra += f'.variants = variants_{name}, '
        index = [m[0] for m in t[1]].index(tag)
        extra += (f'.tag = {index}, .variant_count = {len(branches)}, '
                  f'.variant_offset = offsetof({name}, u), ')
    o.append(f'const QapiType qapi_type_{name} = {{ .name = "{name}", .kind = QAPI_OBJECT, '
             f'.size = sizeof({name}), .count = {len(t[1])}, {extra}}};')
    return o


def return_type(s, item):
    if item.get('raw-reply'):
        return 'struct json_object *'
    return s.c_type(item['returns']) if item.get('returns') else 'bool '


def prototype(s, name, item):
    ret = return_type(s, item)
    args = ''
    if item.get('raw'):
        args = 'struct json_object *args, '
    elif item.get('args_type'):
        args = f"const {item['args_type']} *args, "
    return f'{ret}qmp_{c_name(name)}(QmpCall *call, {args}GError **error)'


def gen_commands_h(s):
    o = [BANNER, '#ifndef QAPI_COMMANDS_H\n#define QAPI_COMMANDS_H\n\n#include "qapi/qmp.h"\n'
         '#include "qapi/qapi-types.h"\n']
    for name, item in sorted(s.sections['commands'].items()):
        if item.get('returns') and not s.is_pointer(item['returns']) and not item.get('raw-reply'):
            raise SchemaError(f"{name}: returns '{item['returns']}', which is no pointer in C")
        o.append(f"/* {item['doc'].replace('*/', '')} */\n{prototype(s, name, item)};")
    o.append('\n#endif\n')
    return '\n'.join(o)


def gen_commands_c(s):
    o = [BANNER, '#include "qapi/qapi-commands.h"\n']
    rows = []
    for name, item in sorted(s.sections['commands'].items()):
        c = c_name(name)
        args = 'args, ' if item.get('raw') or item.get('args_type') else ''
        call = f'qmp_{c}(call, {args}error)'
        if item.get('returns'):
            body = f'return (*({return_type(s, item)}*)ret = {call}) != NULL;'
        else:
            body = f'return {call};'
        o.append(f'static bool call_{c}(QmpCall *call, void *args, void *ret, GError **error)\n'
                 f'{{\n    {body}\n}}')
        row = f'    {{ "{name}", call_{c}'
        row += f', .args = &{s.desc(item["args_type"])}' if item.get('args_type') else ''
        row += f', .ret = &{s.desc(item["returns"])}' if item.get('returns') else ''
        row += ', .raw = true' if item.get('raw') else ''
        row += ', .raw_reply = true' if item.get('raw-reply') else ''
        if item.get('features'):
            values = ', '.join(f'"{f}"' for f in item['features'])
            o.append(f'static const char *const features_{c}[] = {{ {values}, NULL }};')
            row += f', .features = features_{c}'
        rows.append(row + ' },')
    o += ['', 'const QmpCommand qmp_commands[] = {'] + rows
    if not rows:
        o.append('    { NULL },')
    o.append(f'}};\nconst unsigned qmp_command_count = {len(rows)};')
    return '\n'.join(o) + '\n'


def throttle(item):
    """"throttled" is true, or the name of the member whose values count by themselves."""
    of = item.get('throttled')
    key = f'"{of}"' if isinstance(of, str) else 'NULL'
    return f'{"true" if of else "false"}, {key}'


def gen_events(s):
    h = [BANNER, '#ifndef QAPI_EVENTS_H\n#define QAPI_EVENTS_H\n\n#include "qapi/qapi-types.h"\n']
    c = [BANNER, '#include "qapi/qapi-events.h"\n', 'const QapiEvent qapi_events[] = {']
    for i, (name, item) in enumerate(sorted(s.sections['events'].items())):
        data = item.get('data_type')
        arg = f'const {data} *data' if data else 'void'
        h.append(f"/* {item['doc']} */\nstatic inline void qapi_event_{c_name(name.lower())}({arg})\n"
                 f"{{\n    qapi_event_emit(&qapi_events[{i}], {'data' if data else 'NULL'});\n}}")
        c.append(f'    {{ "{name}", {"&" + s.desc(data) if data else "NULL"}, '
                 f'{throttle(item)} }},')
    count = len(s.sections['events'])
    c.append('};' if count else '    { NULL },\n};')
    c.append(f'const unsigned qapi_event_count = {count};')
    h.append('\n#endif\n')
    return '\n'.join(h), '\n'.join(c) + '\n'


def gen_doc(s):
    o = ['# QMP reference', '']
    for fname, doc in s.docs:
        o += [f'## {fname}', '', doc, '']
        for kind in KINDS:
            for name, item in s.sections[kind].items():
                if item['file'] != fname:
                    continue
                o.append(f'### {kind[:-1]} {name}')
                o += ['', item['doc'], '']
                fields = item.get('members') or item.get('values') or {}
                for key in ('args', 'data'):
                    fields = item[key] if isinstance(item.get(key), dict) else fields
                for m, v in (fields.items() if isinstance(fields, dict) else ()):
                    o.append(f'- `{m}`: ' + (f'`{v[0]}`: {v[1]}' if isinstance(v, list) else v))
                if item.get('returns'):
                    o.append(f"- returns `{item['returns']}`")
                for b, ref in item.get('branches', {}).items():
                    o.append(f'- `{b}`: `{ref}`')
                o.append('')
    return '\n'.join(o)


def write(outdir, name, text):
    path = os.path.join(outdir, name)
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            if f.read() == text:
                return      # keep the time stamp: nothing is recompiled
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    try:
        s = Schema(sorted(argv[1:]))
        if argv[0] == '--doc':
            print(gen_doc(s))
            return
        events_h, events_c = gen_events(s)
        outputs = {'qapi-types.h': gen_types_h(s), 'qapi-types.c': gen_types_c(s),
                   'qapi-commands.h': gen_commands_h(s), 'qapi-commands.c': gen_commands_c(s),
                   'qapi-events.h': events_h, 'qapi-events.c': events_c}
    except SchemaError as e:
        sys.exit(f'qapi-gen: {e}')
    os.makedirs(argv[0], exist_ok=True)
    for name, text in outputs.items():
        write(argv[0], name, text)


if __name__ == '__main__':
    main(sys.argv[1:])
