/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The grammar of Raddle. Types are written in the grammar of expressions; sema tells them apart. The scanner's filter has
   decided before which newlines are statement ends (End) and which contextual words are words. Tokens carry no values: an
   action reads the text at its place. */
%require "3.8"
%skeleton "lalr1.cc"
%define api.namespace {rad::grammar}
%define api.parser.class {Parser}
%define api.value.type variant
%define api.location.type {rad::Range}
%define api.token.prefix {T_}
%define parse.lac full
%define parse.error custom
%locations
%expect 0
%param { rad::Builder& b }

%code requires {
#include "frontend/parse/builder.h"
}

%code {
// An empty part has no place of its own: a rule reaches from its first to its last part that is not empty.
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                        \
  do {                                                                                         \
    (Current).begin = (Current).end = YYRHSLOC(Rhs, (N) ? 1 : 0).end;                          \
    if (N) {                                                                                   \
      int first_ = 1, last_ = (N);                                                             \
      while (first_ < last_ && YYRHSLOC(Rhs, first_).begin == YYRHSLOC(Rhs, first_).end) ++first_; \
      while (last_ > first_ && YYRHSLOC(Rhs, last_).begin == YYRHSLOC(Rhs, last_).end) --last_; \
      (Current).begin = YYRHSLOC(Rhs, first_).begin;                                           \
      (Current).end = YYRHSLOC(Rhs, last_).end;                                                \
    }                                                                                          \
  } while (false)

namespace rad::grammar {
namespace {

constexpr Parser::token_kind_type tokenCodes[] = {
#define SPECIAL(Kind, Description, Ends, Begins) Parser::token::T_##Kind,
#define SIGN(Kind, Spelling, Ends, Begins) Parser::token::T_##Kind,
#include "frontend/lex/tokens.def"
#define KEYWORD(Kind, Spelling, Ends, Begins) Parser::token::T_##Kind,
#define CONTEXTUAL(Kind, Spelling) Parser::token::T_##Kind,
#include "frontend/lex/keywords.def"
};

int yylex(Parser::value_type*, Range* range, Builder& b) {
  const Token& token = b.next();
  *range = b.rangeOf(token);
  return tokenCodes[static_cast<size_t>(token.kind)];
}

template <class T>
std::vector<T> one(T item) {
  std::vector<T> list;
  list.push_back(std::move(item));
  return list;
}
template <class T>
std::vector<T> append(std::vector<T> list, T item) {
  list.push_back(std::move(item));
  return list;
}

}  // namespace
}  // namespace rad::grammar
}

%token EndOfText 0
%token End Ident Int Float String TuplePosition
%token LParen "(" RParen ")" LBracket "[" RBracket "]" LBrace "{" RBrace "}"
%token Comma "," Semicolon ";" Colon ":" Dot "." DotDot ".." Ellipsis "..." At "@" Arrow "->"
%token Assign "=" AddAssign "+=" SubAssign "-=" MulAssign "*=" DivAssign "/=" RemAssign "%=" AndAssign "&=" OrAssign "|="
%token XorAssign "^=" ShlAssign "<<=" ShrAssign ">>="
%token Plus "+" Minus "-" Star "*" Slash "/" Percent "%" Amp "&" Pipe "|" Caret "^" Tilde "~" Shl "<<" Shr ">>"
%token EqualEqual "==" NotEqual "!=" Less "<" LessEqual "<=" Greater ">" GreaterEqual ">="
%token AmpAmp "&&" PipePipe "||" Bang "!" Question PlusPlus MinusMinus StarStar ColonColon FatArrow LaunchOpen LaunchClose
%token Let "let" Var "var" Const "const" Fn "fn" Kernel "kernel" Struct "struct" Enum "enum" Type "type" Import "import"
%token Instantiate "instantiate" Operator "operator" If "if" Else "else" While "while" For "for" In "in" Break "break"
%token Continue "continue" Return "return" Forall "forall" Blocks "blocks" Threads "threads" Unroll "unroll"
%token Unchecked "unchecked" Graph "graph" On "on" Strided "strided" Mut "mut" And "and" Or "or" Not "not"
%token True "true" False "false"
%token Step "step" From "from" As "as" Test "test" Bench "bench" Extern "extern" Shared "shared" Private "private"

/* Loosest first. */
%precedence LAMBDA
%left "on"
%left "or" "||"
%left "and" "&&"
%precedence "not"
%left "==" "!=" "<" "<=" ">" ">="
%left "|"
%left "^"
%left "&"
%left "<<" ">>"
%left "+" "-"
%left "*" "/" "%"
%precedence UNARY

%type <ExprId> expr branch postfix primary type typeOrSpread blockValue ifExpr block resultOpt initOpt typeOpt stepOpt conditionOpt generator
%type <ExprId> fnType stridedType typeSet spreadable
%type <std::vector<ExprId>> exprs exprsOpt types typesOpt dims
%type <std::vector<Argument>> arguments argumentList indexArguments indexList
%type <Argument> argument indexArgument
%type <std::vector<RangeClause>> clauses
%type <RangeClause> clause
%type <std::vector<Param>> params paramList lambdaParams lambdaParamList
%type <Param> param lambdaParam
%type <bool> mutOpt letOrVar
%type <std::vector<StaticParam>> staticParams staticParamList
%type <StaticParam> staticParam
%type <std::vector<Ident>> names braceNames
%type <std::vector<StmtId>> statements
%type <StmtId> statementOpt statement
%type <DeclId> decl plainDecl fnDecl memberFn externMemberOpt
%type <StructMember> memberOpt
%type <Ident> nameOpt
%type <std::vector<DeclId>> externMembers
%type <StructMembers> members
%type <std::vector<Attribute>> attributes
%type <Attribute> attribute
%type <Signature> signature
%type <Ident> operatorName
%type <Domain> domain
%type <ImportPath> importPath
%type <std::string> dottedPath
%type <std::pair<ExprId, bool>> bodyOpt
%type <BinaryOp> assignOp

%%

text: statements  { b.finish($1); } ;

statements:
    statementOpt                  { if ($1) $$.push_back($1); }
  | statements End statementOpt   { $$ = std::move($1); if ($3) $$.push_back($3); }
  ;
statementOpt:
    %empty      { $$ = {}; }
  | statement   { $$ = $1; }
  | error       { $$ = b.lostStatement(); yyclearin; if (!b.recover()) YYABORT; yyerrok; }
  ;

statement:
    expr                                       { $$ = b.stmt(@$, ExprStmt{$1}); }
  | expr "=" expr                              { $$ = b.assign(@$, $1, false, BinaryOp::Add, $3, @2); }
  | expr assignOp expr                         { $$ = b.assign(@$, $1, true, $2, $3, @2); }
  | letOrVar Ident typeOpt initOpt             { $$ = b.let(@$, $1, b.ident(@2), $3, $4); }
  | "let" "mut" Ident typeOpt initOpt          { $$ = b.letMut(@$, @2, b.ident(@3), $4, $5); }
  | letOrVar "(" names ")" typeOpt initOpt     { $$ = b.letTuple(@$, $1, $3, $5, $6); }
  | "while" expr block                         { $$ = b.stmt(@$, WhileStmt{$2, $3}); }
  | "for" clause block                         { $$ = b.stmt(@$, ForStmt{$2, $3}); }
  | "unroll" "for" clause block                { $$ = b.stmt(@$, ForStmt{$3, $4, Unroll::Full}); }
  | "unroll" "(" expr ")" "for" clause block   { $$ = b.stmt(@$, ForStmt{$6, $7, Unroll::Factor, $3}); }
  | "break"                                    { $$ = b.stmt(@$, BreakStmt{}); }
  | "continue"                                 { $$ = b.stmt(@$, ContinueStmt{}); }
  | "return"                                   { $$ = b.stmt(@$, ReturnStmt{}); }
  | "return" expr                              { $$ = b.stmt(@$, ReturnStmt{$2}); }
  | "shared" Ident ":" type                    { $$ = b.stmt(@$, SharedStmt{b.ident(@2), $4}); }
  | "forall" clauses block                     { $$ = b.stmt(@$, ForallStmt{b.list($2), $3}); }
  | "on" expr block                            { $$ = b.stmt(@$, OnBlockStmt{$2, $3}); }
  | decl                                       { $$ = b.stmt(@$, DeclStmt{b.checkedFn($1, false)}); }
  ;
letOrVar:
    "let"   { $$ = false; }
  | "var"   { $$ = true; }
  ;
assignOp:
    "+="   { $$ = BinaryOp::Add; }
  | "-="   { $$ = BinaryOp::Sub; }
  | "*="   { $$ = BinaryOp::Mul; }
  | "/="   { $$ = BinaryOp::Div; }
  | "%="   { $$ = BinaryOp::Rem; }
  | "&="   { $$ = BinaryOp::BitAnd; }
  | "|="   { $$ = BinaryOp::BitOr; }
  | "^="   { $$ = BinaryOp::BitXor; }
  | "<<="  { $$ = BinaryOp::Shl; }
  | ">>="  { $$ = BinaryOp::Shr; }
  ;
typeOpt:
    %empty     { $$ = {}; }
  | ":" type   { $$ = $2; }
  ;
initOpt:
    %empty     { $$ = {}; }
  | "=" expr   { $$ = $2; }
  ;
names:
    Ident             { $$ = one(b.ident(@1)); }
  | names "," Ident   { $$ = append(std::move($1), b.ident(@3)); }
  ;
block: "{" statements "}"   { $$ = b.expr(@$, BlockExpr{b.list($2)}); } ;

/* ---- ranges ---- */
clauses:
    clause               { $$ = one($1); }
  | clauses "," clause   { $$ = append(std::move($1), $3); }
  ;
clause:
    Ident "in" expr ".." expr stepOpt   { $$ = {b.ident(@1), $3, $5, $6, {}}; }
  | Ident "in" expr                     { $$ = b.clauseWithoutRange(b.ident(@1), $3); }
  ;
stepOpt:
    %empty        { $$ = {}; }
  | "step" expr   { $$ = $2; }
  ;

/* ---- expressions ---- */
expr:
    postfix
  | blockValue
  | fnType
  | stridedType
  | expr "or" expr    { $$ = b.binary(@$, BinaryOp::Or, $1, $3, @2); }
  | expr "and" expr   { $$ = b.binary(@$, BinaryOp::And, $1, $3, @2); }
  | expr "||" expr    { b.report(Diag::LogicSymbol, @2, {"||", "or"}); $$ = b.binary(@$, BinaryOp::Or, $1, $3, @2); }
  | expr "&&" expr    { b.report(Diag::LogicSymbol, @2, {"&&", "and"}); $$ = b.binary(@$, BinaryOp::And, $1, $3, @2); }
  | expr "==" expr    { $$ = b.comparison(@$, BinaryOp::Eq, $1, $3, @2); }
  | expr "!=" expr    { $$ = b.comparison(@$, BinaryOp::Ne, $1, $3, @2); }
  | expr "<" expr     { $$ = b.comparison(@$, BinaryOp::Lt, $1, $3, @2); }
  | expr "<=" expr    { $$ = b.comparison(@$, BinaryOp::Le, $1, $3, @2); }
  | expr ">" expr     { $$ = b.comparison(@$, BinaryOp::Gt, $1, $3, @2); }
  | expr ">=" expr    { $$ = b.comparison(@$, BinaryOp::Ge, $1, $3, @2); }
  | expr "|" expr     { $$ = b.binary(@$, BinaryOp::BitOr, $1, $3, @2); }
  | expr "^" expr     { $$ = b.binary(@$, BinaryOp::BitXor, $1, $3, @2); }
  | expr "&" expr     { $$ = b.binary(@$, BinaryOp::BitAnd, $1, $3, @2); }
  | expr "<<" expr    { $$ = b.binary(@$, BinaryOp::Shl, $1, $3, @2); }
  | expr ">>" expr    { $$ = b.binary(@$, BinaryOp::Shr, $1, $3, @2); }
  | expr "+" expr     { $$ = b.binary(@$, BinaryOp::Add, $1, $3, @2); }
  | expr "-" expr     { $$ = b.binary(@$, BinaryOp::Sub, $1, $3, @2); }
  | expr "*" expr     { $$ = b.binary(@$, BinaryOp::Mul, $1, $3, @2); }
  | expr "/" expr     { $$ = b.binary(@$, BinaryOp::Div, $1, $3, @2); }
  | expr "%" expr     { $$ = b.binary(@$, BinaryOp::Rem, $1, $3, @2); }
  | "not" expr                  { $$ = b.expr(@$, UnaryExpr{UnaryOp::Not, $2}); }
  | "!" expr %prec UNARY        { b.report(Diag::LogicSymbol, @1, {"!", "not"}); $$ = b.expr(@$, UnaryExpr{UnaryOp::Not, $2}); }
  | "-" expr %prec UNARY        { $$ = b.expr(@$, UnaryExpr{UnaryOp::Neg, $2}); }
  | "~" expr %prec UNARY        { $$ = b.expr(@$, UnaryExpr{UnaryOp::BitNot, $2}); }
  | "&" expr %prec UNARY        { $$ = b.expr(@$, UnaryExpr{UnaryOp::AddressOf, $2}); }
  | "|" lambdaParams "|" expr %prec LAMBDA   { $$ = b.expr(@$, LambdaExpr{b.list($2), $4}); }
  | "||" expr %prec LAMBDA      { $$ = b.expr(@$, LambdaExpr{{}, $2}); }
  | expr "on" expr              { $$ = b.expr(@$, OnExpr{$1, $3}); }
  ;
blockValue:
    block
  | ifExpr
  | "const" ifExpr      { $$ = b.constIf(@$, $2); }
  | "unchecked" block   { $$ = b.expr(@$, UncheckedExpr{$2}); }
  | "graph" block       { $$ = b.expr(@$, GraphExpr{$2}); }
  ;
ifExpr:
    "if" expr block                 { $$ = b.expr(@$, IfExpr{$2, $3, {}, false}); }
  | "if" expr block "else" branch   { $$ = b.expr(@$, IfExpr{$2, $3, $5, false}); }
  ;
branch:
    block
  | ifExpr
  | "const" ifExpr   { $$ = b.constIf(@$, $2); }
  ;

postfix:
    primary
  | postfix "." Ident                { $$ = b.expr(@$, MemberExpr{$1, b.ident(@3)}); }
  | postfix "." TuplePosition        { $$ = b.expr(@$, TupleItemExpr{$1, b.tuplePosition(@3)}); }
  | postfix "(" arguments ")"        { $$ = b.expr(@$, CallExpr{$1, b.list($3)}); }
  | postfix "[" indexArguments "]"   { $$ = b.expr(@$, IndexExpr{$1, b.list($3)}); }
  ;
primary:
    Int            { $$ = b.number(@1); }
  | Float          { $$ = b.number(@1); }
  | String         { $$ = b.string(@1); }
  | "true"         { $$ = b.expr(@$, BoolExpr{true}); }
  | "false"        { $$ = b.expr(@$, BoolExpr{false}); }
  | Ident          { $$ = b.name(@1); }
  | "." Ident      { $$ = b.expr(@$, DotNameExpr{b.ident(@2)}); }
  | "(" ")"        { $$ = b.expr(@$, TupleExpr{}); }
  | "(" expr ")"   { $$ = b.expr(@$, ParenExpr{$2}); }
  | "(" expr "," exprsOpt ")"   { $4.insert($4.begin(), $2); $$ = b.expr(@$, TupleExpr{b.list($4)}); }
  | "[" exprsOpt "]"            { $$ = b.expr(@$, ArrayLitExpr{b.list($2)}); }
  | "[" generator "]"           { $$ = b.expr(@$, ArrayGenExpr{$2}); }
  | "[" expr ";" dims "]"       { $$ = b.expr(@$, RepeatExpr{$2, b.list($4)}); }
  ;
exprsOpt:
    %empty      { }
  | exprs       { $$ = std::move($1); }
  | exprs ","   { $$ = std::move($1); }
  ;
exprs:
    expr             { $$ = one($1); }
  | exprs "," expr   { $$ = append(std::move($1), $3); }
  ;
spreadable:
    expr         { $$ = $1; }
  | expr "..."   { $$ = b.expr(@$, SpreadExpr{$1}); }
  ;
dims:
    spreadable            { $$ = one($1); }
  | dims "," spreadable   { $$ = append(std::move($1), $3); }
  ;

arguments:
    %empty             { }
  | argumentList       { $$ = std::move($1); }
  | argumentList ","   { $$ = std::move($1); }
  | generator                    { $$ = one(Argument{{}, $1}); }
  | argumentList "," generator   { $$ = append(std::move($1), Argument{{}, $3}); }
  ;
argumentList:
    argument                    { $$ = one($1); }
  | argumentList "," argument   { $$ = append(std::move($1), $3); }
  ;
argument:
    spreadable       { $$ = {{}, $1}; }
  | Ident ":" expr   { $$ = {b.ident(@1), $3}; }
  ;
generator: expr "for" clauses conditionOpt   { $$ = b.expr(@$, GeneratorExpr{$1, b.list($3), $4}); } ;
conditionOpt:
    %empty      { $$ = {}; }
  | "if" expr   { $$ = $2; }
  ;

indexArguments:
    %empty          { }
  | indexList       { $$ = std::move($1); }
  | indexList ","   { $$ = std::move($1); }
  ;
indexList:
    indexArgument                 { $$ = one($1); }
  | indexList "," indexArgument   { $$ = append(std::move($1), $3); }
  ;
indexArgument:
    spreadable                { $$ = {{}, $1}; }
  | Ident ":" expr            { $$ = {b.ident(@1), $3}; }
  | expr ".." expr stepOpt    { $$ = {{}, b.expr(@$, SliceExpr{$1, $3, $4})}; }
  | expr ".." stepOpt         { $$ = {{}, b.expr(@$, SliceExpr{$1, {}, $3})}; }
  | ".." expr stepOpt         { $$ = {{}, b.expr(@$, SliceExpr{{}, $2, $3})}; }
  | ".." stepOpt              { $$ = {{}, b.expr(@$, SliceExpr{{}, {}, $2})}; }
  ;

lambdaParams:
    %empty            { }
  | lambdaParamList   { $$ = std::move($1); }
  ;
lambdaParamList:
    lambdaParam                       { $$ = one($1); }
  | lambdaParamList "," lambdaParam   { $$ = append(std::move($1), $3); }
  ;
lambdaParam: Ident typeOpt   { $$ = {b.ident(@1), $2, {}, false}; } ;

/* ---- types ---- */
type:
    postfix
  | fnType
  | stridedType
  ;
typeSet:
    type
  | typeSet "|" type   { $$ = b.binary(@$, BinaryOp::BitOr, $1, $3, @2); }
  ;
fnType:
    "fn" "(" typesOpt ")"             { $$ = b.fnType(@$, $3, {}); }
  | "fn" "(" typesOpt ")" "->" type   { $$ = b.fnType(@$, $3, $6); }
  ;
stridedType: "strided" type   { $$ = b.expr(@$, StridedExpr{$2}); } ;
typesOpt:
    %empty      { }
  | types       { $$ = std::move($1); }
  | types ","   { $$ = std::move($1); }
  ;
types:
    type             { $$ = one($1); }
  | types "," type   { $$ = append(std::move($1), $3); }
  ;
typeOrSpread:
    type         { $$ = $1; }
  | type "..."   { $$ = b.expr(@$, SpreadExpr{$1}); }
  ;

/* ---- declarations ---- */
decl:
    plainDecl
  | "private" plainDecl              { $$ = b.withPrivate(@$, $2); }
  | attributes plainDecl             { $$ = b.withAttributes(@$, $2, $1); }
  | attributes "private" plainDecl   { $$ = b.withPrivate(@$, b.withAttributes(@$, $3, $1)); }
  ;
plainDecl:
    fnDecl
  | "kernel" signature domain block   { $$ = b.kernel(@$, std::move($2), $3, $4); }
  | "kernel" signature block          { $$ = b.kernelWithoutDomain(@$, std::move($2), $3); }
  | "struct" Ident staticParams "{" members "}"
      { $$ = b.decl(@$, StructDecl{b.ident(@2), b.list($3), b.list($5.fields), b.list($5.methods)}); }
  | "enum" Ident "{" braceNames "}"             { $$ = b.decl(@$, EnumDecl{b.ident(@2), b.list($4)}); }
  | "const" Ident typeOpt "=" expr              { $$ = b.decl(@$, ConstDecl{b.ident(@2), $3, $5}); }
  | "type" Ident staticParams "=" typeSet       { $$ = b.decl(@$, TypeAliasDecl{b.ident(@2), b.list($3), $5}); }
  | "import" importPath                         { $$ = b.decl(@$, ImportDecl{$2.isFile, b.text($2.path), {}, {}, false}); }
  | "import" importPath "as" Ident              { $$ = b.decl(@$, ImportDecl{$2.isFile, b.text($2.path), b.ident(@4), {}, false}); }
  | "import" dottedPath "." "{" braceNames "}"  { $$ = b.decl(@$, ImportDecl{false, b.text($2), {}, b.list($5), true}); }
  | "import" String "." "{" braceNames "}"      { $$ = b.decl(@$, ImportDecl{true, b.stringText(@2), {}, b.list($5), true}); }
  | "extern" String "{" externMembers "}"
      { $$ = b.decl(@$, ExternDecl{b.stringText(@2), {}, b.list($4)}); }
  | "extern" String "from" String "{" externMembers "}"
      { $$ = b.decl(@$, ExternDecl{b.stringText(@2), b.stringText(@4), b.list($6)}); }
  | "test" String block                         { $$ = b.decl(@$, TestDecl{false, b.stringText(@2), $3}); }
  | "bench" String block                        { $$ = b.decl(@$, TestDecl{true, b.stringText(@2), $3}); }
  | "instantiate" postfix "as" String           { $$ = b.decl(@$, InstantiateDecl{$2, b.stringText(@4)}); }
  ;

fnDecl:
    "fn" signature resultOpt bodyOpt   { $$ = b.fn(@$, std::move($2), false, $3, $4.first, $4.second); }
  | "operator" operatorName staticParams "(" params ")" resultOpt bodyOpt
      { $$ = b.fn(@$, Signature{$2, $3, $5, @5}, true, $7, $8.first, $8.second); }
  ;
signature: Ident staticParams "(" params ")"   { $$ = {b.ident(@1), std::move($2), std::move($4), @4}; } ;
resultOpt:
    %empty      { $$ = {}; }
  | "->" type   { $$ = $2; }
  ;
bodyOpt:
    %empty     { $$ = {}; }
  | block      { $$ = {$1, false}; }
  | "=" expr   { $$ = {$2, true}; }
  ;
operatorName:
    "+"    { $$ = b.ident(@1); }
  | "-"    { $$ = b.ident(@1); }
  | "*"    { $$ = b.ident(@1); }
  | "/"    { $$ = b.ident(@1); }
  | "%"    { $$ = b.ident(@1); }
  | "&"    { $$ = b.ident(@1); }
  | "|"    { $$ = b.ident(@1); }
  | "^"    { $$ = b.ident(@1); }
  | "~"    { $$ = b.ident(@1); }
  | "<<"   { $$ = b.ident(@1); }
  | ">>"   { $$ = b.ident(@1); }
  | "=="   { $$ = b.ident(@1); }
  | "!="   { $$ = b.ident(@1); }
  | "<"    { $$ = b.ident(@1); }
  | "<="   { $$ = b.ident(@1); }
  | ">"    { $$ = b.ident(@1); }
  | ">="   { $$ = b.ident(@1); }
  ;

staticParams:
    %empty                        { }
  | "[" staticParamList "]"       { $$ = std::move($2); }
  | "[" staticParamList "," "]"   { $$ = std::move($2); }
  ;
staticParamList:
    staticParam                       { $$ = one($1); }
  | staticParamList "," staticParam   { $$ = append(std::move($1), $3); }
  ;
staticParam:
    Ident initOpt                   { $$ = {b.ident(@1), false, {}, $2}; }
  | Ident ":" typeSet initOpt       { $$ = {b.ident(@1), false, $3, $4}; }
  | "const" Ident typeOpt initOpt   { $$ = {b.ident(@2), true, $3, $4}; }
  ;

params:
    %empty          { }
  | paramList       { $$ = std::move($1); }
  | paramList ","   { $$ = std::move($1); }
  ;
paramList:
    param                 { $$ = one($1); }
  | paramList "," param   { $$ = append(std::move($1), $3); }
  ;
param:
    mutOpt Ident                            { $$ = {b.ident(@2), {}, {}, $1}; }
  | mutOpt Ident ":" typeOrSpread initOpt   { $$ = {b.ident(@2), $4, $5, $1}; }
  ;
mutOpt:
    %empty   { $$ = false; }
  | "mut"    { $$ = true; }
  ;

domain:
    "forall" clauses                     { $$ = {true, b.list($2), {}}; }
  | "blocks" clauses "threads" clauses   { $$ = {false, b.list($2), b.list($4)}; }
  ;

/* Members stand on lines of their own or are separated by commas. */
separator: "," | End ;
members:
    memberOpt                     { $$.add($1); }
  | members separator memberOpt   { $$ = std::move($1); $$.add($3); }
  ;
memberOpt:
    %empty                    { }
  | Ident ":" type initOpt    { $$ = {{b.ident(@1), $3, $4, false}, {}}; }
  | memberFn                  { $$ = {{}, b.checkedFn($1, true)}; }
  | error                     { $$ = b.lostMember(); yyclearin; if (!b.recover()) YYABORT; yyerrok; }
  ;
memberFn:
    fnDecl
  | "private" fnDecl              { $$ = b.withPrivate(@$, $2); }
  | attributes fnDecl             { $$ = b.withAttributes(@$, $2, $1); }
  | attributes "private" fnDecl   { $$ = b.withPrivate(@$, b.withAttributes(@$, $3, $1)); }
  ;
braceNames:
    nameOpt                        { if (!$1.name.empty()) $$.push_back($1); }
  | braceNames separator nameOpt   { $$ = std::move($1); if (!$3.name.empty()) $$.push_back($3); }
  ;
nameOpt:
    %empty   { }
  | Ident    { $$ = b.ident(@1); }
  | Ident error   { $$ = b.ident(@1); yyclearin; if (!b.recover()) YYABORT; yyerrok; }
  | error    { b.lostMember(); yyclearin; if (!b.recover()) YYABORT; yyerrok; }
  ;
externMembers:
    externMemberOpt                     { if ($1) $$.push_back($1); }
  | externMembers End externMemberOpt   { $$ = std::move($1); if ($3) $$.push_back($3); }
  ;
externMemberOpt:
    %empty               { }
  | fnDecl               { $$ = $1; }
  | attributes fnDecl    { $$ = b.withAttributes(@$, $2, $1); }
  | error                { yyclearin; if (!b.recover()) YYABORT; yyerrok; }
  ;
importPath:
    dottedPath   { $$ = {false, std::move($1)}; }
  | String       { $$ = {true, std::string(b.stringText(@1))}; }
  ;
dottedPath:
    Ident                  { $$ = b.textOf(@1); }
  | dottedPath "." Ident   { $$ = std::move($1); $$ += "."; $$ += b.textOf(@3); }
  ;

attributes:
    attribute              { $$ = one($1); }
  | attributes attribute   { $$ = append(std::move($1), $2); }
  ;
attribute:
    "@" Ident                     { $$ = {b.ident(@2), {}, @$}; }
  | "@" Ident "(" arguments ")"   { $$ = {b.ident(@2), b.list($4), @$}; }
  ;
%%

namespace rad::grammar {

void Parser::report_syntax_error(const context& context) const {
  // From the grammar's numbers back to kinds of tokens. With LAC the list is exact.
  static const std::vector<TokenKind> kindOf = [] {
    std::vector<TokenKind> kinds(YYNTOKENS, TokenKind::EndOfText);
    for (size_t i = 0; i < std::size(tokenCodes); ++i) kinds[yytranslate_(tokenCodes[i])] = static_cast<TokenKind>(i);
    return kinds;
  }();
  symbol_kind_type expected[YYNTOKENS];
  int count = context.expected_tokens(expected, YYNTOKENS);
  std::vector<TokenKind> kinds;
  for (int i = 0; i < count; ++i)
    if (expected[i] != symbol_kind::S_YYerror) kinds.push_back(kindOf[expected[i]]);
  b.syntaxError(kinds);
}

void Parser::error(const location_type&, const std::string&) { b.aborted(); }

}  // namespace rad::grammar
