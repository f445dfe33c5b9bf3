"""Node types of libpg_query's raw trees that the reader knows how to walk. Another one is a hazard."""

from typing import Final

_QUERIES: Final = (
    "SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt WithClause CommonTableExpr CTESearchClause CTECycleClause "
    "ResTarget MultiAssignRef SetToDefault OnConflictClause InferClause MergeWhenClause ReturningClause "
    "ReturningOption IntoClause LockingClause SortBy WindowDef GroupingSet GroupingFunc CurrentOfExpr"
)
_SOURCES: Final = (
    "RangeVar RangeSubselect RangeFunction RangeTableSample RangeTableFunc RangeTableFuncCol JoinExpr Alias "
    "JsonTable JsonTableColumn JsonTablePathSpec"
)
_EXPRESSIONS: Final = (
    "A_Expr A_Const A_Star A_Indices A_Indirection A_ArrayExpr BoolExpr NullTest BooleanTest CaseExpr CaseWhen "
    "CoalesceExpr MinMaxExpr NullIfExpr RowExpr SubLink TypeCast TypeName CollateClause ColumnRef ParamRef FuncCall "
    "NamedArgExpr SQLValueFunction XmlExpr XmlSerialize String Integer Float Boolean BitString List "
    "JsonFuncExpr JsonValueExpr JsonOutput JsonFormat JsonReturning JsonArgument JsonBehavior JsonKeyValue "
    "JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonAggConstructor JsonObjectAgg "
    "JsonArrayAgg JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonIsPredicate MergeSupportFunc"
)
_STATEMENTS: Final = (
    "ExplainStmt CopyStmt DeclareCursorStmt FetchStmt ClosePortalStmt PrepareStmt ExecuteStmt DeallocateStmt "
    "CreateTableAsStmt ViewStmt RefreshMatViewStmt TransactionStmt VariableSetStmt VariableShowStmt DiscardStmt "
    "ListenStmt NotifyStmt UnlistenStmt LockStmt TruncateStmt CallStmt DoStmt VacuumStmt VacuumRelation ClusterStmt "
    "ReindexStmt CheckPointStmt LoadStmt ConstraintsSetStmt DefElem"
)
_DEFINITIONS: Final = (
    "CreateStmt ColumnDef Constraint TableLikeClause PartitionSpec PartitionElem PartitionBoundSpec PartitionCmd "
    "PartitionRangeDatum AlterTableStmt AlterTableCmd ATAlterConstraint ReplicaIdentityStmt IndexStmt IndexElem "
    "DropStmt RenameStmt AlterObjectSchemaStmt AlterOwnerStmt AlterObjectDependsStmt CommentStmt CreateSchemaStmt "
    "CreateSeqStmt AlterSeqStmt CreateFunctionStmt FunctionParameter AlterFunctionStmt ObjectWithArgs ReturnStmt "
    "CreateTrigStmt TriggerTransition CreateEventTrigStmt AlterEventTrigStmt RuleStmt CreatePolicyStmt AlterPolicyStmt "
    "CreateEnumStmt AlterEnumStmt CompositeTypeStmt CreateDomainStmt AlterDomainStmt CreateRangeStmt AlterTypeStmt "
    "DefineStmt CreateCastStmt CreateTransformStmt CreateConversionStmt CreateOpClassStmt CreateOpClassItem "
    "CreateOpFamilyStmt AlterOpFamilyStmt AlterOperatorStmt CreateStatsStmt StatsElem AlterStatsStmt "
    "AlterCollationStmt CreateExtensionStmt AlterExtensionStmt AlterExtensionContentsStmt CreatePLangStmt CreateAmStmt "
    "CreateForeignTableStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt AlterForeignServerStmt "
    "CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt ImportForeignSchemaStmt "
    "CreateTableSpaceStmt DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt CreatedbStmt DropdbStmt "
    "AlterDatabaseStmt AlterDatabaseSetStmt AlterDatabaseRefreshCollStmt AlterSystemStmt SecLabelStmt "
    "CreatePublicationStmt AlterPublicationStmt PublicationObjSpec PublicationTable CreateSubscriptionStmt "
    "AlterSubscriptionStmt DropSubscriptionStmt AlterTSDictionaryStmt AlterTSConfigurationStmt"
)
_RIGHTS: Final = (
    "GrantStmt GrantRoleStmt AccessPriv RoleSpec AlterDefaultPrivilegesStmt CreateRoleStmt AlterRoleStmt "
    "AlterRoleSetStmt DropRoleStmt DropOwnedStmt ReassignOwnedStmt"
)

_CARRIERS: Final = (
    "DoStmt CreateFunctionStmt AlterFunctionStmt CreateTrigStmt CreateEventTrigStmt AlterEventTrigStmt RuleStmt "
    "CreatePolicyStmt AlterPolicyStmt CreateCastStmt CreateTransformStmt CreateConversionStmt CreateOpClassStmt "
    "CreateOpFamilyStmt AlterOpFamilyStmt AlterOperatorStmt DefineStmt CreateRangeStmt CreatePLangStmt CreateAmStmt "
    "CreateExtensionStmt AlterExtensionStmt AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt "
    "CreateForeignServerStmt AlterForeignServerStmt CreateUserMappingStmt AlterUserMappingStmt CreateForeignTableStmt "
    "ImportForeignSchemaStmt CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt "
    "CreateTableSpaceStmt AlterSystemStmt AlterDatabaseSetStmt AlterRoleSetStmt LoadStmt"
)
CARRIERS: Final = frozenset(_CARRIERS.split())
"""Statements that bring code, a way out of the database, or settings for later sessions; refused when guarded"""

KNOWN: Final = frozenset(f"{_QUERIES} {_SOURCES} {_EXPRESSIONS} {_STATEMENTS} {_DEFINITIONS} {_RIGHTS}".split())
